"""One shard against its index: what was written, what is there, and which sample is hurt.

A damage shows in many ways at once: a cut also loses samples, changes the checksum and the
count. Each step names what it explains, and later steps keep quiet about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..store.corpus import ShardEntry
from ..store.index import IndexMeta, IndexRow
from ..store.shard import split_name
from ..store.tar import BLOCK_BYTES, Damage
from .fault import Fault, FaultKind
from .walk import MemberDigest, Walk

NamedMember = tuple[str, str, MemberDigest]
"""(key, ext, member): a member and the sample that it belongs to."""
_CUTS = (FaultKind.CUT_AT_MEMBER, FaultKind.CUT_IN_MEMBER)


@dataclass(slots=True)
class ShardCase:
    """A shard while it is judged: what was read, and the faults so far."""

    entry: ShardEntry
    image_ext: str
    walk: Walk
    rows: Sequence[IndexRow] | None
    """None: there is no index that can be read."""
    meta: IndexMeta | None
    faults: list[Fault] = field(default_factory=list)
    blamed: set[str] = field(default_factory=set)
    """Keys of samples whose state a fault explains."""
    extra: list[str] = field(default_factory=list)
    """Keys in the tar that the index does not list, not yet explained."""
    keys: list[str] = field(default_factory=list)
    """Keys in the tar, in order, each once."""

    @property
    def intact(self) -> bool:
        """The tar is, byte for byte, one that was written."""
        digests = {self.entry.sha256, self.meta.sha256 if self.meta is not None else ""}
        return self.walk.sha256 in digests

    def add(self, kind: FaultKind, key: str, message: str) -> None:
        """Record a fault; its sample needs no other explanation."""
        self.faults.append(Fault(self.entry.name, key, kind, message))
        self.blamed.add(key)


def judge(case: ShardCase) -> None:
    """Fill in `faults`, `keys` and `extra` of a case."""
    named = _names(case)
    exts = _repeats(case, named)
    case.keys = list(exts)
    _cut(case, named, exts)
    _flips(case, named, exts)
    _incomplete(case, exts)
    _samples(case)
    _order(case, named)
    _identity(case)
    _index(case, named)


def _names(case: ShardCase) -> list[NamedMember]:
    """(key, ext, member) in the order of the tar; a wrong name is traced to its sample."""
    present = {member.name for member in case.walk.members}
    absent: dict[tuple[int, int], tuple[str, str]] = {}
    for row in reversed(case.rows or ()):
        if f"{row.key}.{row.image_ext}" not in present:
            absent[row.image_bytes, row.image_crc32c] = (row.key, row.image_ext)
        if f"{row.key}.json" not in present:
            absent[row.json_bytes, row.json_crc32c] = (row.key, "json")
    named: list[NamedMember] = []
    reported: set[str] = set()
    for member in case.walk.members:
        good = split_name(member.name)
        if good is None:
            stem, _, ext = member.name.rpartition(".")
            good = absent.get((member.size, member.crc32c), (stem or member.name, ext))
            if good[0] not in reported:
                reported.add(good[0])
                _wrong_name(case, member.name, good[0])
        named.append((*good, member))
    return named


def _wrong_name(case: ShardCase, name: str, key: str) -> None:
    first, _, rest = name.rpartition("/")[2].partition(".")
    if "." in rest:
        message = f"readers take the member {name} for a part {rest!r} of a sample {first!r}"
        case.add(FaultKind.DOTTED_KEY, key, message)
    else:
        case.add(FaultKind.BAD_NAME, key, f"the member {name!r} is not named key.ext")


def _repeats(case: ShardCase, named: Sequence[NamedMember]) -> dict[str, set[str]]:
    """Extensions by key, in order of first appearance; what comes again is a fault."""
    exts: dict[str, set[str]] = {}
    apart: list[str] = []
    twice: list[str] = []
    previous = ""
    for key, ext, _ in named:
        seen = exts.setdefault(key, set())
        if ext in seen and key not in twice:
            twice.append(key)
        elif key != previous and seen and key not in apart:
            apart.append(key)
        seen.add(ext)
        previous = key
    for key in twice:
        case.add(FaultKind.DUPLICATE_KEY, key, "the sample is in the shard more than once")
    for key in apart:
        if key not in twice:
            message = "its members are not adjacent: other samples lie between them"
            case.add(FaultKind.INTERLEAVED, key, message)
    return exts


def _cut(case: ShardCase, named: Sequence[NamedMember], exts: dict[str, set[str]]) -> None:
    complete = {case.image_ext, "json"}
    for damage in case.walk.damages:
        if damage.kind not in _CUTS:
            continue
        lost: list[str] = []
        for row in reversed(case.rows or ()):
            if exts.get(row.key, set()) >= complete:
                break
            lost.insert(0, row.key)
        if not lost and named and not exts[named[-1][0]] >= complete:
            lost = [named[-1][0]]
        at = split_name(damage.name)
        key = at[0] if at is not None else (lost[0] if lost else "")
        message = damage.message
        if lost:
            message += f"; {len(lost)} samples are lost or halved, {lost[0]} to {lost[-1]}"
        elif case.rows is None and key:
            message += "; without an index it is not known how many samples are lost"
        case.add(FaultKind(damage.kind), key, message)
        case.blamed.update(lost)


def _flips(case: ShardCase, named: Sequence[NamedMember], exts: dict[str, set[str]]) -> None:
    for damage in case.walk.damages:
        if damage.kind == FaultKind.BIT_FLIP:
            case.add(FaultKind.BIT_FLIP, _neighbour(case, damage, named, exts), damage.message)
    rows = {row.key: row for row in case.rows or ()}
    odd = sum(member.header_ok and not member.canonical for _, _, member in named)
    rewritten = 2 * odd > len(named)
    for key, ext, member in named:
        if not member.header_ok or (not member.canonical and not rewritten):
            case.add(FaultKind.BIT_FLIP, key, f"the header of {member.name} is damaged")
        elif not member.padding_ok:
            case.add(FaultKind.BIT_FLIP, key, f"the padding after {member.name} is not zero")
        row = rows.get(key)
        if row is None or case.intact or ext not in (row.image_ext, "json"):
            continue
        size, crc = _written(row, ext)
        if member.size != size:
            message = f"{member.name} has {member.size} bytes, {size} were written"
            case.add(FaultKind.CHANGED_MEMBER, key, message)
        elif member.crc32c != crc:
            message = f"the data of {member.name} do not match their checksum"
            case.add(FaultKind.BIT_FLIP, key, message)


def _written(row: IndexRow, ext: str) -> tuple[int, int]:
    if ext == "json":
        return row.json_bytes, row.json_crc32c
    return row.image_bytes, row.image_crc32c


def _neighbour(
    case: ShardCase,
    damage: Damage,
    named: Sequence[NamedMember],
    exts: dict[str, set[str]],
) -> str:
    """The half sample beside a header that cannot be read; empty where there is none."""
    before = [key for key, _, member in named if member.offset < damage.offset]
    after = [key for key, _, member in named if member.offset > damage.offset]
    for key in (*before[-1:], *after[:1]):
        if not exts[key] >= {case.image_ext, "json"}:
            return key
    return ""


def _incomplete(case: ShardCase, exts: dict[str, set[str]]) -> None:
    complete = {case.image_ext, "json"}
    for key, present in exts.items():
        if key in case.blamed or present == complete:
            continue
        if missing := sorted(complete - present):
            message = f"the sample lacks {', '.join(f'{key}.{ext}' for ext in missing)}"
            case.add(FaultKind.MISSING_MEMBER, key, message)
        if surplus := sorted(present - complete):
            message = f"{', '.join(f'{key}.{ext}' for ext in surplus)} does not belong here"
            case.add(FaultKind.EXTRA_MEMBER, key, message)


def _samples(case: ShardCase) -> None:
    """Which samples the tar and the index hold, and how many the others say."""
    sizes = {len(case.keys)}
    if case.rows is not None:
        _compare_keys(case, [row.key for row in case.rows])
        sizes.add(len(case.rows))
    cut_short = any(damage.kind in _CUTS for damage in case.walk.damages)
    if case.entry.samples not in sizes and not (case.rows is None and cut_short):
        numbers = " and ".join(map(str, sorted(sizes)))
        message = f"corpus.json says {case.entry.samples} samples, shard and index {numbers}"
        case.add(FaultKind.WRONG_COUNT, "", message)


def _compare_keys(case: ShardCase, listed: Sequence[str]) -> None:
    here, indexed = set(case.keys), set(listed)
    for key in listed:
        if key not in here and key not in case.blamed:
            counts = f"the index lists {len(listed)} samples, the shard holds {len(here)}"
            case.add(FaultKind.WRONG_COUNT, key, f"{counts}: this one is not in the shard")
    case.extra = [key for key in case.keys if key not in indexed and key not in case.blamed]
    for key, times in Counter(listed).items():
        if times > 1:
            case.add(FaultKind.WRONG_COUNT, key, f"the index lists the sample {times} times")
    if case.meta is not None and case.meta.samples != len(listed):
        message = f"the index has {len(listed)} rows and says {case.meta.samples}"
        case.add(FaultKind.WRONG_COUNT, "", message)


def _order(case: ShardCase, named: Sequence[NamedMember]) -> None:
    previous = ("", "")
    for key, ext, _ in named:
        if previous == (key, "json") and ext != "json" and key not in case.blamed:
            case.add(FaultKind.WRONG_ORDER, key, "its JSON comes before its image")
        previous = (key, ext)
    if case.rows is None:
        return
    here = set(case.keys)
    listed = [row.key for row in case.rows if row.key in here and row.key not in case.blamed]
    common = set(listed)
    for key, expected in zip((name for name in case.keys if name in common), listed, strict=False):
        if key != expected:
            message = f"the index has {expected} at its place"
            case.add(FaultKind.WRONG_ORDER, key, message)
            return


def _identity(case: ShardCase) -> None:
    """The whole file against corpus.json and the index."""
    walk, entry, meta = case.walk, case.entry, case.meta
    if not case.intact:
        if not case.faults and not case.extra:
            odd = next((item.name for item in walk.members if not item.canonical), "")
            where = f", that of {odd} for one" if odd else ""
            message = f"it was rewritten: members are intact, headers are not ours{where}"
            case.add(FaultKind.CHECKSUM, "", message)
        return
    if entry.sha256 != walk.sha256:
        message = f"corpus.json says sha256 {entry.sha256}, shard and index have {walk.sha256}"
        case.add(FaultKind.CHECKSUM, "", message)
    elif entry.bytes != walk.bytes:
        message = f"corpus.json says {entry.bytes} bytes, the shard has {walk.bytes}"
        case.add(FaultKind.CHECKSUM, "", message)
    if meta is None:
        return
    claimed = (meta.shard, meta.sha256, meta.bytes)
    if claimed != (entry.name, walk.sha256, walk.bytes):
        message = "the index is of another shard: it names {} with sha256 {} and {} bytes"
        case.add(FaultKind.INDEX, "", message.format(*claimed))


def _index(case: ShardCase, named: Sequence[NamedMember]) -> None:
    """Offsets, sizes and checksums in the index; a damaged tar is no witness against it."""
    if case.rows is None or not case.intact:
        return
    members = {(key, ext): member for key, ext, member in named}
    for row in case.rows:
        if row.key not in case.blamed:
            for message in _lies(row, members):
                case.add(FaultKind.INDEX, row.key, message)


def _lies(row: IndexRow, members: dict[tuple[str, str], MemberDigest]) -> Iterator[str]:
    image = members.get((row.key, row.image_ext))
    text = members.get((row.key, "json"))
    if image is None or text is None:
        yield f"the index says that the image is .{row.image_ext}"
        return
    end = text.offset + BLOCK_BYTES + text.size + (-text.size % BLOCK_BYTES)
    true = {
        "offset": image.offset,
        "bytes": end - image.offset,
        "image_offset": image.offset + BLOCK_BYTES,
        "image_bytes": image.size,
        "image_crc32c": image.crc32c,
        "json_offset": text.offset + BLOCK_BYTES,
        "json_bytes": text.size,
        "json_crc32c": text.crc32c,
    }
    wrong = [name for name, value in true.items() if getattr(row, name) != value]
    if wrong:
        claims = ", ".join(f"{name} {getattr(row, name)} (is {true[name]})" for name in wrong)
        yield f"the index says {claims}"
