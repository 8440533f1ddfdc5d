"""Which form a file of people and groups has: told by its first sign, whatever the file is called."""

from scim.csv_file import parse_csv
from scim.directory_file import Collected, DirectoryFile
from scim.json_file import parse_json


def parse_directory_file(content: bytes) -> DirectoryFile:
    """The people and groups of a file in UTF-8, with all its faults: JSON if it begins with a brace, else CSV."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _refused(
            content.count(b"\n", 0, error.start) + 1, "This is not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8)."
        )
    if not text.strip():
        return _refused(1, "The file is empty.")
    if text.lstrip().startswith("["):
        return _refused(1, 'A JSON file is one object, {"Users": […], "Groups": […]}, and no list.')
    return parse_json(text) if text.lstrip().startswith("{") else parse_csv(text)


def _refused(line: int, why: str) -> DirectoryFile:
    found = Collected()
    found.refuse(line, why)
    return found.done("nothing")
