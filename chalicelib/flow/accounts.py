"""Who answers for a company whose people came before."""

from chalicelib.lead.model import Model
from chalicelib.records import digest, packed, unpacked
from chalicelib.storage import Item, Key


class AccountOwner(Model):
    """The owner of the first lead of a company; it names the company by no word."""

    account_id: str
    owner_id: str = ""
    version: int = 0


def account_id_of(domain: str) -> str:
    """Give the id of a company by its domain; hashed, for some domains are a person's name."""
    return digest("account", domain)


def account_key(account_id: str) -> Key:
    """Key of who answers for a company."""
    return Key(f"ACCOUNT#{account_id}", "ACCOUNT")


def account_item(account: AccountOwner, writer: str) -> Item:
    """Make the item of who answers for a company."""
    pk, sk = account_key(account.account_id)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "account",
        "writer": writer,
        "version": account.version,
        "data": packed(account),
    }


def account_of_item(item: Item) -> AccountOwner:
    """Read who answers for a company back."""
    return unpacked(AccountOwner, item["data"])
