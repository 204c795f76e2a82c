"""Whose words count in an estate, and with which key this process signs: `estate.toml`, and files of private keys.

The built-in key lies in the home and stands for whoever uses it; it counts where every system of the estate is on
loopback, and is refused everywhere else. Asked anew by every run, of the addresses that the run itself goes to.
"""

from urllib.parse import urlsplit

from pipelines.arming.keys import is_loopback, key_id, private_from, public_from, public_text
from pipelines.arming.signing import Approver, Approvers, Signer
from pipelines.errors import ConfigurationError
from pipelines.estate import Estate
from resources.private import check_private
from resources.settings import Settings

BUILT_IN = "the built-in key"
UNSET = "TRUEUP_SIGNING_KEY is not set: the file of your private key, as `trueup keygen` makes it"


def approvers_of(settings: Settings, estate: Estate) -> Approvers:
    """Those whom the estate names; with the home's built-in key where it counts, else with the reason it does not."""
    by_key = {}
    for name, person in estate.approvers.items():
        key = public_from(person.public_key)
        by_key[key_id(key)] = Approver(name, key, person.may_arm)
    refused: dict[str, str] = {}
    own = built_in(settings, estate.estate.name)
    if own is not None:
        public = own.key.public_key()
        if away := _away(settings, estate):
            refused[key_id(public)] = f"{_on_loopback(away)}: name an approver in estate.toml"
        else:
            by_key[key_id(public)] = Approver(BUILT_IN, public, may_arm=True, speaks_for_all=True)
    return Approvers(estate.estate.name, by_key, refused)


def signer_of(settings: Settings, estate: Estate) -> Signer:
    """The key that TRUEUP_SIGNING_KEY names; without one the built-in key, where every system is on loopback."""
    path, name = settings.signing_key, estate.estate.name
    if path is None:
        if away := _away(settings, estate):
            raise ConfigurationError(f"{UNSET} ({_on_loopback(away)})")
        own = built_in(settings, name)
        if own is None:
            raise ConfigurationError(UNSET)
        return own
    if not path.is_file():
        raise ConfigurationError(f"TRUEUP_SIGNING_KEY: there is no file {path}; `trueup keygen` makes one")
    check_private(path)
    key = private_from(path.read_bytes(), settings.signing_passphrase, where=str(path))
    public = public_text(key.public_key())
    for person, told in estate.approvers.items():
        if told.public_key == public:
            return Signer(key, name, person)
    raise ConfigurationError(
        f"{path}: its public key is nobody's in estate.toml; who may change that file adds\n"
        f'[approvers.your_name]\npublic_key = "{public}"'
    )


def built_in(settings: Settings, estate: str) -> Signer | None:
    """The home's own key, where it has been made."""
    path = settings.built_in_key
    if not path.exists():
        return None
    check_private(path)
    return Signer(private_from(path.read_bytes(), "", where=str(path)), estate)


def _away(settings: Settings, estate: Estate) -> list[str]:
    """Systems that are not on loopback, with their hosts."""
    addresses = {system: settings.base_url(estate, system) for system in estate.systems}
    return [
        f"{system} ({urlsplit(address).hostname or urlsplit(address).scheme})"
        for system, address in addresses.items() if not is_loopback(address)
    ]


def _on_loopback(away: list[str]) -> str:
    return f"{BUILT_IN} counts on loopback alone, and {', '.join(away)} {'is' if len(away) == 1 else 'are'} not"
