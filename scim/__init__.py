"""SCIM 2.0 (RFC 7643, 7644) as messages and their meaning. Pure: no storage, no web framework, no clock.

Read in this order:

- `errors`     every reason to refuse a request, rendered as the RFC has it
- `schemas`    User, EnterpriseUser and Group as data; names found without case
- `values`     one value of one attribute in canonical form, or refused by name; `moments`: its dateTimes
- `messages`   request bodies, queries, paging, lists
- `resources`  Users and Groups parsed, rendered, narrowed to the attributes asked for
- `filters`    a filter's text to a tree; `filter_tree`: the tree, and what it is true of
- `sorting`    in which order a search answers
- `patch`      a PATCH to typed operations, applied to a User's document; `group_changes`: told as changes of a Group
- `bulk`       many operations in one request, and what they refer to
- `dialects`   what each vendor sends that the RFCs don't foresee, folded away by the others
- `versions`   ETags, and what conditions say of them
- `discovery`  what the server says of itself; `openapi`: the same as an OpenAPI document
- `redaction`  what of a message a log may keep
- `directory_file`  many people and groups in a file, checked; its forms: `file_forms`, `csv_file`, `json_file`

A request travels `messages.parse_body` -> `resources.parse_user` or `patch.parse_patch`; an answer
`resources.render_user` -> `resources.select_attributes` -> `messages.ListResponse`. Everything raises ScimError and
nothing else, in time that is linear in the request.

The rule: tolerant of what comes in, strict in what goes out, and never a request half understood.
"""
