from typing import NewType
SafeText = NewType("SafeText", str)
def clean(value: str, *, multiline: bool = False, limit: int = 20_000) -> SafeText:
    raise NotImplementedError
