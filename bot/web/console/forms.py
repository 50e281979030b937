"""The console's forms. Each carries a token that only pages of the same session know."""

from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import FormData
from starlette.requests import Request
from wtforms import Form, PasswordField, SelectMultipleField, StringField, TextAreaField, ValidationError
from wtforms.csrf.session import SessionCSRF
from wtforms.validators import InputRequired, Length, Regexp

from bot.accounts import MIN_LENGTH
from bot.storage.account import ROLES
from bot.web.bodies import limited_body

REPLY_MAX = 4000  # characters; every channel takes that much in one or two parts
STALE = "The page was out of date, so nothing was changed. What you typed is still here: please try once more."
_BODY_LIMIT = 256 * 1024


class _Token(SessionCSRF):
    def validate_csrf_token(self, form: Any, field: Any) -> None:
        if "csrf" not in self.session:  # the session has ended since the page was shown
            raise ValidationError("no session")
        super().validate_csrf_token(form, field)


class ConsoleForm(Form):
    """A form that refuses to validate without its session's token."""

    class Meta:
        csrf = True
        csrf_class = _Token
        csrf_time_limit = None  # lives as long as the session, so that a long reply is not lost

    @property
    def token(self) -> str:
        """The token to put into the page."""
        return str(self["csrf_token"].current_token)  # type: ignore[attr-defined]  # added by the CSRF class

    @property
    def forged(self) -> bool:
        """Whether validation failed on the token."""
        return bool(self["csrf_token"].errors)

    @property
    def problem(self) -> str:
        """The first thing to mend, or an empty text."""
        if self.forged:
            return STALE
        return next((str(error) for field in self for error in field.errors), "")


def _plain_newlines(value: str | None) -> str:
    # browsers send \r\n, which would count double against limits
    return (value or "").replace("\r\n", "\n")


class ActionForm(ConsoleForm):
    """A button."""


class LoginForm(ConsoleForm):
    """E-mail and password."""

    email = StringField("E-mail", [InputRequired("Write your e-mail address."), Length(max=254)])
    password = PasswordField("Password", [InputRequired("Write your password."), Length(max=1024)])


class PasswordForm(ConsoleForm):
    """A new password, twice, proved by the one in use."""

    current = PasswordField("Password in use", [InputRequired("Write the password in use."), Length(max=1024)])
    new = PasswordField(
        "New password",
        [Length(min=MIN_LENGTH, max=1024, message=f"The new password needs at least {MIN_LENGTH} characters.")],
    )
    again = PasswordField("New password again")

    def validate_again(self, field: PasswordField) -> None:
        """Both must be equal."""
        if field.data != self.new.data:
            raise ValidationError("The two new passwords differ.")


class ReplyForm(ConsoleForm):
    """A counsellor's message; ``key`` makes a repeated click harmless."""

    key = StringField(validators=[Regexp(r"^[0-9a-f]{32}$", message="The page was out of date; please try once more.")])
    text = TextAreaField("Reply", filters=[_plain_newlines])

    def validate_text(self, field: TextAreaField) -> None:
        """Something must be said, in a size that every channel takes."""
        if not (field.data or "").strip():
            raise ValidationError("Write a reply first.")
        if len(field.data or "") > REPLY_MAX:
            raise ValidationError(f"The reply has {len(field.data or '')} characters; at most {REPLY_MAX} can be sent.")


class AnswerForm(ConsoleForm):
    """An answer in one language; its limits are the content service's own."""

    title = StringField("Title", filters=[_plain_newlines])
    label = StringField("Button label", filters=[_plain_newlines])
    answer = TextAreaField("Answer", filters=[_plain_newlines])


class AccountForm(ConsoleForm):
    """A new account."""

    name = StringField("Name", [InputRequired("Write a name; people in the chat see it."), Length(max=80)])
    email = StringField("E-mail", [InputRequired("Write an e-mail address."), Length(max=254)])
    roles = SelectMultipleField(
        "Roles", [InputRequired("Choose at least one role.")], choices=[(role, role.capitalize()) for role in ROLES]
    )


def meta(request: Request) -> dict[str, Any]:
    """What ties a form to the session of ``request``."""
    return {"csrf_context": request.session, "csrf_secret": request.app.state.csrf_secret}


async def posted(request: Request) -> FormData:
    """The fields of a submitted form.

    Raises:
        HTTPException: 413 when they are too large.
    """
    body = await limited_body(request, _BODY_LIMIT)
    return FormData([*parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)])
