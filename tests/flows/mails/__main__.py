"""`python -m tests.flows.mails` writes the files of all mails anew."""

from tests.flows.mails import write_all

write_all()
