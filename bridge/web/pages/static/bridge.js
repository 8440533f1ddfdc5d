// What the pages do beyond links and forms. All of it is a comfort: without script everything still works.

// Copy buttons: <button data-copy="ID of the value"> with a <span data-label> that says what happened.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const value = document.getElementById(button.dataset.copy);
  const label = button.querySelector("[data-label]");
  try {
    await navigator.clipboard.writeText(value.textContent.trim());
    label.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(value);
    label.textContent = "Press Ctrl+C";
  }
});

// Users: the row follows the summary that htmx fetched, and a click anywhere in a row shows its summary.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  const link = row?.querySelector("[data-select]");
  if (!link || link.offsetParent === null) return;
  const other = event.target.closest("a, button, input, label");
  if (other && other !== link) return;
  for (const selected of document.querySelectorAll("tr.is-selected")) {
    selected.classList.remove("is-selected");
    selected.querySelector("[data-select]")?.removeAttribute("aria-current");
  }
  row.classList.add("is-selected");
  link.setAttribute("aria-current", "true");
  if (!other && getSelection().isCollapsed) link.click();
});

// A form that came back with errors: go to the first field that needs another value.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector("input[aria-invalid], select[aria-invalid], textarea[aria-invalid]")?.focus();
});

// Tabs that don't fit a phone: the one that is shown is in sight.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector(".b-tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
});
