"""Files that a counsellor opened. They go when the message goes, or sooner."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base, now


class MediaFile(Base):
    """The content of one file a person sent. ``mime`` is what its first bytes say it is, not what was claimed."""

    __tablename__ = "media_file"

    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id", ondelete="CASCADE"), primary_key=True)
    mime: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    fetched_at: Mapped[datetime] = mapped_column(default=now)
