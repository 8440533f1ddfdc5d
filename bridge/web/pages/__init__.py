"""The pages for people: a module a page family, with templates and static files beside them.

A view function calls one flow, fills one value of `views` and renders the template of the same name with `page`,
`frame` and `now`. `filters` write times, numbers and labels. Everything works without script; htmx only saves
a page load. All of it runs under a policy without inline styles or scripts.
"""
