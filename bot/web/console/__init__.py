"""The console: counsellors' queue and cases, editors' content, accounts."""

from bot.web.console import cases, content, inbox, login, people

ROUTES = [*login.ROUTES, *inbox.ROUTES, *cases.ROUTES, *content.ROUTES, *people.ROUTES]
