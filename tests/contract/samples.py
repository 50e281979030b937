"""What people write: every script, and all that a careless copy damages."""

TEXTS = (
    "J'ai reçu une décision négative — où aller ?",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467, flag \U0001f1e7\U0001f1ea, hand \U0001f44d\U0001f3fd",
    "Vi\u00eat Vie\u0323\u0302t a\u0308, বাংলা কি, हिन्दी",  # composed letters and combining marks
    "أريد العودة إلى بلدي مع IOM قبل 31/12، هل هذا ممكن؟",
    "می\u200cخواهم برگردم",
    "first line\nsecond line\n\nafter a gap",
    'a & b = c + 100% "quoted" <b>not bold</b> \\n {x} #1; --',
)

SENTENCE = "You can go back whenever you decide to, and nobody may force you."
RIGHT_TO_LEFT = "يمكنك العودة متى قررت ذلك مع IOM، ولا يجوز لأحد أن يجبرك على ذلك أبدا."


def bare(text: str) -> str:
    """A text without white space, which is dropped where the parts of a long one meet."""
    return "".join(text.split())
