"""What all answers have in common."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An answer of the server. It cannot be changed; fields that this version does not know are kept."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())
