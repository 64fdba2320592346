"""What Twilio's error codes mean, as a table. Each row was read in Twilio's error dictionary (twilio.com/docs/api/errors).

Where a code may mean a harmless and a grave thing, it is `doubtful`, and the harmless meaning holds: no number is given up and no channel
stopped on a guess. `our_fault` is for what would stop every message alike; a region that is switched off, or a text that is too long, is
not. Codes that are not in the table speak of one message alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from channels.carrier import RefusalKind


@dataclass(frozen=True, slots=True)
class Code:
    """One of Twilio's codes.

    Attributes:
        number: The code.
        kind: What it means for the next attempt.
        says: One sentence, without number or text.
        doubtful: The dictionary allows a graver meaning too.
    """

    number: int
    kind: RefusalKind
    says: str
    doubtful: bool = False


_ROWS: tuple[Code, ...] = (
    # Later, the same message may pass.
    Code(14107, "retry_later", "Too many texts were sent in too short a time."),
    Code(20429, "retry_later", "Too many requests at once."),
    Code(21611, "retry_later", "Too many texts are waiting at this sender."),
    Code(30001, "retry_later", "Too many texts were waiting, so this one was dropped."),
    Code(30017, "retry_later", "The network is congested."),
    Code(30022, "retry_later", "The rate that carriers allow the campaign was exceeded."),
    Code(30023, "retry_later", "The campaign's texts for this day are used up."),
    Code(30027, "retry_later", "The day's texts to T-Mobile are used up."),
    Code(30035, "retry_later", "The sender's registration is still being set up."),
    Code(63017, "retry_later", "Too many texts a second over all senders."),
    Code(63038, "retry_later", "The account's texts for 24 hours are used up."),
    # The number will never take a text.
    Code(21211, "dead_number", "There is no such number."),
    Code(21217, "dead_number", "The number is not valid."),
    Code(21614, "dead_number", "The number is no mobile number."),
    Code(21635, "dead_number", "The number is a landline."),
    Code(30005, "dead_number", "The network does not know the number."),
    # A short code that cannot reach a network gets this too; ours are long numbers.
    Code(30006, "dead_number", "The number is a landline, or its network takes no texts."),
    # The person told the carrier to stop.
    Code(21610, "opted_out", "The person told the carrier to stop."),
    # Every message meets the same end until somebody mends it.
    Code(10001, "our_fault", "The account is not active."),
    Code(20003, "our_fault", "The account's id or secret is wrong, or the account is closed."),
    Code(20005, "our_fault", "The account is not active."),
    Code(20006, "our_fault", "The account may not do this."),
    Code(20008, "our_fault", "Test credentials cannot send."),
    Code(20404, "our_fault", "The account, or what was asked for, is not there."),
    Code(21210, "our_fault", "The number we call from is not verified."),
    Code(21212, "our_fault", "The sender is no valid number."),
    Code(21219, "our_fault", "A trial account calls verified numbers alone."),
    Code(21470, "our_fault", "The account's id is wrong."),
    Code(21471, "our_fault", "The account does not exist."),
    Code(21472, "our_fault", "The account is not active."),
    Code(21601, "our_fault", "The sender is no number of ours for texts."),
    Code(21603, "our_fault", "No sender was named."),
    Code(21606, "our_fault", "The sender is no number of this account that can send texts."),
    Code(21607, "our_fault", "A trial account sends from its own number alone."),
    Code(21608, "our_fault", "A trial account writes to verified numbers alone."),
    Code(21609, "our_fault", "The address for receipts is not valid: correct ARREARS_PUBLIC_URL."),
    Code(21616, "our_fault", "The sender names several numbers of ours."),
    Code(21624, "our_fault", "The time that a text may wait is out of range."),
    Code(21657, "our_fault", "The sender's name is not valid."),
    Code(21659, "our_fault", "The sender is no number of Twilio's, or of another country."),
    Code(21660, "our_fault", "The sender belongs to another account."),
    Code(21661, "our_fault", "The sender cannot send texts."),
    Code(21663, "our_fault", "The sender's routing is set up wrongly."),
    Code(30002, "our_fault", "The account was suspended before the text went out."),
    Code(30032, "our_fault", "The toll-free sender was not verified."),
    Code(30033, "our_fault", "The campaign is suspended."),
    Code(30034, "our_fault", "The sender is not registered for texts in the US."),
    Code(30037, "our_fault", "Sending was switched off for the account."),
    Code(30041, "our_fault", "The sender must be registered in this country, and is not."),
    Code(30042, "our_fault", "The sender's name may not be used by this account."),
    # This message alone.
    Code(21214, "refused", "The number cannot be reached.", doubtful=True),  # perhaps for ever
    Code(21215, "refused", "Calls to this region are switched off in the account."),
    Code(21216, "refused", "The carrier blocked the call.", doubtful=True),  # perhaps all calls of the account
    Code(21401, "refused", "A number is not valid.", doubtful=True),  # it does not say whose
    Code(21408, "refused", "Texts to this region are switched off in the account."),
    Code(21602, "refused", "The text is empty."),
    Code(21604, "refused", "No recipient was named."),
    Code(21612, "refused", "This sender cannot reach this number.", doubtful=True),  # perhaps no number in the country
    Code(21617, "refused", "The text is longer than 1600 characters."),
    Code(21618, "refused", "The text may not be sent as it is."),
    Code(30003, "refused", "The telephone was off or out of reach."),
    Code(30004, "refused", "The text was blocked.", doubtful=True),  # by the network, or by the person
    Code(30007, "refused", "The carrier filtered the text out.", doubtful=True),  # perhaps all texts of the sender
    Code(30008, "refused", "The network gave no reason."),
    Code(30010, "refused", "The text costs more than is allowed."),
    Code(30018, "refused", "This network wants the sender registered first."),
    Code(30024, "refused", "This network does not know the sender."),
    Code(30036, "refused", "The text waited longer than it may, and was dropped."),
    Code(30040, "refused", "This network wants the sender registered first."),
    Code(30410, "refused", "The network did not answer in time.", doubtful=True),  # it may have the text
)

CODES: Mapping[int, Code] = {row.number: row for row in _ROWS}
