"""camt.053, the bank-to-customer statement of ISO 20022, in any of its versions."""

# Nothing but plain elements is taken: a document type, where entities are declared, ends the reading (`doctype` below).
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from domain.errors import BadInput
from domain.money import currencies
from domain.reconcile import Line, Moved
from starters.statements.statement import Statement, amount_of, covering, day_of, reference_of

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."
PIECE = 64 * 1024  # bytes
DEEPEST = 100  # elements inside one another; a real statement has some fifteen
NO_REFERENCE = frozenset({"", "NOTPROVIDED", "NONREF", "NOREF"})
# Ids that banks and payers give a movement, in the order of their worth; not those of mandates and files, which many share.
OF_DETAIL = ("EndToEndId", "TxId", "InstrId", "AcctSvcrRef", "PmtInfId", "UETR", "ClrSysRef")

# Sub-families of bank transaction codes that say that money goes back, by the external code list of ISO 20022: of credit transfers
# (return, cancelled), direct debits (unpaid, cancelled, reversed), cheques, cards, drafts, and of the ACH.
BACK = frozenset(["RRTN", "RPCR", "UPDD", "RCDD", "PRDD", "UPCQ", "XPCQ", "CQRV", "UPCT", "UDFT", "ARET", "AREV"])


def read_camt(file: Path) -> Statement:
    """Read a statement piece by piece, so that memory does not grow with the file's XML. What is not booked is left out.

    Raises:
        BadInput: it is no camt.053, or is broken.
    """
    reader = _Reader(file)
    parser = XMLParser(target=reader)  # noqa: S314 - `doctype` refuses what bombs are made of
    try:
        with file.open("rb") as opened:
            while piece := opened.read(PIECE):
                parser.feed(piece)
        parser.close()
    except (ParseError, LookupError, UnicodeError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"statement {file} is broken XML ({error}): fetch it from the bank again.") from None
    if reader.statements == 0:
        raise BadInput(f"statement {file} holds no statement: give the bank's camt.053 file.")
    return covering(reader.lines, reader.days, reader.currencies)


class _Reader(TreeBuilder):
    """Takes each entry as it ends, and forgets it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.days: list[date] = []
        self.currencies: set[str] = set()
        self.statements = self._entries = self._depth = 0
        self._file = file
        self._named_days: list[date] = []  # of the statement that is being read, and its first line
        self._first = 0

    def doctype(self, *_: object) -> None:
        raise BadInput(f"statement {self._file} declares a document type, which no camt.053 does: fetch it anew.")

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        self._depth += 1
        if self._depth == 1 and not tag.startswith("{" + NAMESPACE):
            raise BadInput(f"statement {self._file} is XML, but no camt.053: ask the bank for camt.053, or give CSV.")
        if self._depth > DEEPEST:
            raise BadInput(f"statement {self._file} is nested too deeply: fetch it from the bank again.")
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        element = super().end(tag)
        match _local(element):
            case "Stmt":
                self.statements += 1
                # What is valued or booked on other days is corrected on these, and says nothing of the days between.
                self.days += self._named_days or [line.booked_on for line in self.lines[self._first :]]
                self._named_days, self._first = [], len(self.lines)
            case "FrToDt" if self._depth == 3:
                self._named_days += [day_of(each.text, f"statement {self._file}, FrToDt") for each in element]
            case "Acct" if self._depth == 3:
                self._account_in(_text(element, "Ccy"))
            case "Bal" if self._depth == 3:
                self._account_in(_currency(_first(element, "Amt")))
            case "Ntry":
                self._entries += 1
                self.lines += _lines(
                    element, f"entry {self._entries}", f"statement {self._file}, entry {self._entries}"
                )
                element.clear()
        return element

    def _account_in(self, currency: str | None) -> None:
        if currency in currencies():
            self.currencies.add(currency)


def _lines(entry: Element, place: str, where: str) -> Iterator[Line]:
    """The movements of an entry: the entry itself, or each of the transactions that it sums up, and what they leave of it."""
    if (_text(entry, "Sts") or _text(entry, "Sts/Cd")) != "BOOK":
        return
    details = [each for group in _all(entry, "NtryDtls") for each in _all(group, "TxDtls")]
    amounts = [_amount_of_detail(each) for each in details]
    whole = _first(entry, "Amt")
    rest = _signed(entry, [], whole, where)
    if len(details) < 2 or {_currency(each) for each in amounts} != {_currency(whole)}:
        if rest:
            yield _line(entry, details, abs(rest), _moved(entry, details, where), place, where)
        return
    for n, (detail, amount) in enumerate(zip(details, amounts, strict=True), 1):
        at = f"{where}, transaction {n}"
        signed = _signed(entry, [detail], amount, at)
        rest -= signed
        if signed:
            yield _line(entry, [detail], abs(signed), _moved(entry, [detail], at), f"{place}.{n}", at)
    if rest:  # of which nobody knows what it was
        yield _line(entry, [], abs(rest), Moved.CAME if rest > 0 else Moved.RETURNED, place, where)


def _line(entry: Element, details: list[Element], paid: Decimal, moved: Moved, place: str, where: str) -> Line:
    value, booked = _day(entry, "ValDt", where), _day(entry, "BookgDt", where)
    if value is None and booked is None:
        raise BadInput(f"{where}: it has neither ValDt nor BookgDt: fetch the statement from the bank again.")
    return Line(
        place=place,
        moved=moved,
        amount=paid,
        currency=_currency(_first(entry, "Amt")),
        value_date=value or booked,  # type: ignore[arg-type]  # one of them is there
        booked_on=booked or value,  # type: ignore[arg-type]
        references=tuple(reference_of(each, where) for each in _references(entry, details)),
        text=" ".join(_texts(entry, details)),
    )


def _signed(entry: Element, details: list[Element], amount: Element | None, where: str) -> Decimal:
    """What came, or what went, which is negative. Some banks put notes between the movements, as entries of nothing."""
    paid = amount_of(amount.text if amount is not None else None, _currency(amount), where) or Decimal(0)
    return abs(paid) if _came(entry, details, where) else -abs(paid)


def _came(entry: Element, details: list[Element], where: str) -> bool:
    sign = (_text(details[0], "CdtDbtInd") if len(details) == 1 else None) or _text(entry, "CdtDbtInd")
    if sign not in {"CRDT", "DBIT"}:
        raise BadInput(
            f"{where}: CdtDbtInd {sign!r} is neither CRDT nor DBIT: fetch the statement from the bank again."
        )
    return sign == "CRDT"


def _moved(entry: Element, details: list[Element], where: str) -> Moved:
    back = _text(entry, "RvslInd") in {"true", "1"} or any(_first(each, "RtrInf") is not None for each in details)
    if _came(entry, details, where):
        return Moved.RESTORED if back else Moved.CAME
    # The code alone is not believed of a credit, which would then be nobody's money.
    coded = any(_text(each, "BkTxCd/Domn/Fmly/SubFmlyCd") in BACK for each in (entry, *details))
    return Moved.RETURNED if back or coded else Moved.WENT


def _amount_of_detail(detail: Element) -> Element | None:
    """Later versions say it straight, the early ones among the amounts of the way."""
    straight = _first(detail, "Amt")
    return straight if straight is not None else _first(detail, "AmtDtls/TxAmt/Amt")


def _currency(amount: Element | None) -> str:
    return amount.get("Ccy", "") if amount is not None else ""


def _references(entry: Element, details: list[Element]) -> Iterator[str]:
    found = [_text(each, f"Refs/{name}") for each in details for name in OF_DETAIL]
    found += [_text(each, "Refs/Prtry/Ref") for each in details]
    found += [_text(entry, "NtryRef"), _text(entry, "AcctSvcrRef")]
    yield from dict.fromkeys(" ".join(each.split()) for each in found if each and each not in NO_REFERENCE)


def _texts(entry: Element, details: list[Element]) -> Iterator[str]:
    for detail in details:
        for remittance in _all(detail, "RmtInf"):
            yield from (
                each.text or "" for each in remittance.iter() if _local(each) in {"Ustrd", "Ref", "Nb", "AddtlRmtInf"}
            )
        yield _text(detail, "AddtlTxInf") or ""
    yield _text(entry, "AddtlNtryInf") or ""


def _day(entry: Element, name: str, where: str) -> date | None:
    given = _text(entry, f"{name}/Dt") or _text(entry, f"{name}/DtTm")
    return day_of(given, f"{where}, {name}") if given else None


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(element: Element, path: str) -> list[Element]:
    return element.findall("/".join(f"{{*}}{name}" for name in path.split("/")))


def _first(element: Element, path: str) -> Element | None:
    return next(iter(_all(element, path)), None)


def _text(element: Element, path: str) -> str | None:
    found = _first(element, path)
    return found.text.strip() or None if found is not None and found.text else None
