"""The console: counsellors' queue and cases, channels, editors' content, accounts."""

from bot.web.console.cases import ROUTES as CASES
from bot.web.console.channels import ROUTES as CHANNELS
from bot.web.console.content import ROUTES as CONTENT
from bot.web.console.inbox import ROUTES as INBOX
from bot.web.console.login import ROUTES as LOGIN
from bot.web.console.media import ROUTES as MEDIA
from bot.web.console.people import ROUTES as PEOPLE

ROUTES = [*LOGIN, *INBOX, *CASES, *MEDIA, *CHANNELS, *CONTENT, *PEOPLE]
