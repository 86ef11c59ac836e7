# Copyright (c) 2026, bluegreen.aws maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One release or rollback from beginning to end: the order of lock, recovery, preparation, plan, rollout and record; nothing else."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import getpass
import os
import signal

from .._compose import model, names, plan, record
from .._compose.errors import ComposeReleaseError, Interrupted, InvalidInput, ReleaseFailed
from .._compose.options import PRESENT
from . import files, prepare, rollout, scratch
from .clock import iso, parse_stamp, stamp
from .host import Host
from .lock import Lock
from .recover import recover


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run did, or would do."""

    changed: bool
    record: dict
    services: list
    warnings: list
    timeline: list
    before: dict
    after: dict


def user() -> str:
    """Who runs this: the one before sudo, if there was one."""
    with contextlib.suppress(Exception):
        return os.environ.get("SUDO_USER") or getpass.getuser()
    return ""


def perform(host: Host, *, check: bool = False) -> Outcome:
    """Releases or rolls back as ``host.options`` say. ``check`` predicts and changes nothing."""
    try:
        return _perform(host, check)
    except ComposeReleaseError as exc:
        raise type(exc)(host.redact(str(exc))) from exc
    except OSError as exc:
        raise files.failure(f"{'predict' if check else 'carry out'} the {_what(host)}", exc) from exc


def _what(host: Host) -> str:
    return f"{'release' if host.options.state == PRESENT else 'rollback'} of {host.options.project}"


def _perform(host: Host, check: bool) -> Outcome:
    options = host.options
    scratch.sweep()
    if check:
        with interruptible(), scratch.directory("bluegreen-check-") as root:  # holds .env for as long as Compose needs to read it
            return _predict(host, root)
    host.store.set_up()
    lock = Lock(host.store.lock, host.clock)
    lock.acquire(options.actor or user(), _what(host), options.lock_timeout)
    host.run.held.append(lock.descriptor)
    try:
        with interruptible():
            host.docker.check_versions()
            host.key = host.store.key(create=True)
            _report_damage(host)
            recover(host)
            return _release(host)
    finally:
        host.run.held.remove(lock.descriptor)
        lock.release()


@contextlib.contextmanager
def interruptible():
    """SIGTERM, SIGHUP and SIGINT become an exception, so that an interrupted release takes back what it did before it ends."""
    kinds = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

    def stop(number, _frame):
        for kind in kinds:  # a second one must not interrupt the way back
            signal.signal(kind, signal.SIG_IGN)
        raise Interrupted(f"interrupted by {signal.Signals(number).name}")

    try:
        before = {kind: signal.signal(kind, stop) for kind in kinds}
    except ValueError:  # not the main thread: the caller's own business
        yield
        return
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _report_damage(host: Host) -> None:
    """Names what cannot be read; it is kept, and so is all that it may speak of."""
    store = host.store
    for identifier, why in store.damaged().items():
        live = identifier == store.current()
        host.warn(
            f"The record of {'the live ' if live else ''}release {identifier} ({store.path(identifier)}/release.json) cannot be read: "
            f"{why}. The release and what runs of it are kept, and no old release is removed meanwhile. Restore the file from a backup"
            + (", or release again: jobs run once more, and a rollback to it is not possible." if live else ", or delete the directory.")
        )


def _content(host: Host, root: str, target) -> prepare.Content:
    """Fills ``root`` with the release's files and says how they are to be read. ``target`` is the release to return to, or None."""
    options = host.options
    if target is None:
        secret_keys = prepare.write_bundle(host, root)
        return prepare.Content(root, options.compose_file, options.images, {}, options.treatments(), secret_keys)
    files.copy_bundle(host.store.path(target.id), root)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(root, "release.json"))
    return _recorded(root, target)


def _recorded(root: str, item: record.Record) -> prepare.Content:
    treatments = {name: model.Treatment(entry[0], entry[1], tuple(entry[2])) for name, entry in item.treatments.items()}
    return prepare.Content(root, item.compose_file, item.overrides, item.images, treatments, item.secret_keys)


def _target(host: Host, records: list, current: str):
    if host.options.state == PRESENT:
        return None
    damaged = host.store.damaged()
    for identifier in (current, host.options.release):
        if identifier in damaged:
            raise InvalidInput(
                f"Cannot roll back: the record of release {identifier} ({host.store.path(identifier)}/release.json) cannot be read: "
                f"{damaged[identifier]}. Restore the file from a backup, or release the version that you want. Nothing was changed."
            )
    return record.rollback_target(records, current, host.options.release)


def _decide(host: Host, content: prepare.Content, live, *, check: bool, rollback: bool) -> tuple:
    """(prepared, wanted, plan)."""
    containers = host.docker.containers()
    prepared = prepare.load(host, content, containers, check=check)
    wanted, proxies = prepare.wanted(host, prepared, containers)
    decided = plan.decide(wanted, containers, proxies, current=live.id if live else "", jobs=live.jobs if live else {}, rollback=rollback)
    for warning in decided.warnings:
        host.warn(warning)
    return prepared, wanted, decided


def _new_record(host: Host, identifier: str, prepared, wanted: list, decided: plan.Plan, target, current: str) -> record.Record:
    options, content = host.options, prepared.content
    return record.Record(
        id=identifier,
        project=options.project,
        action=record.ROLLBACK if target else record.RELEASE,
        actor=options.actor or user(),
        started=iso(host.clock.utc()),
        config_version=target.config_version if target else options.config_version,
        compose_file=content.compose_file,
        images={action.service: action.image for action in decided.actions if action.action != plan.REMOVE},
        overrides=dict(content.overrides),
        treatments={name: [item.strategy, item.mode, list(item.ports)] for name, item in content.treatments.items()},
        environment=prepared.environment,
        secret_keys=content.secret_keys,
        bundle=prepared.bundle,
        jobs={want.service.name: want.fingerprint for want in wanted if want.service.kind == model.JOB},
        previous=current,
        restores=target.id if target else "",
        services={action.service: [action.kind, action.action] for action in decided.actions},
    )


def _same(new: record.Record, live) -> bool:
    """Whether a release with this content is live already."""
    kept = ("config_version", "compose_file", "images", "overrides", "treatments", "environment", "bundle")
    return live is not None and all(getattr(new, name) == getattr(live, name) for name in kept)


def _predict(host: Host, root: str) -> Outcome:
    host.docker.check_versions()
    _report_damage(host)
    host.key = host.store.key(create=False)
    records, current = host.store.records(), host.store.current()
    target = _target(host, records, current)
    live = record.by_id(records).get(current)
    content = _content(host, root, target)
    prepared, wanted, decided = _decide(host, content, live, check=True, rollback=bool(target))
    new = _new_record(host, "", prepared, wanted, decided, target, current)
    changed = decided.changed or bool(decided.leftovers) or not _same(new, live)
    return _outcome(host, changed, new if changed else live, decided, live)


def _identifier(host: Host, records: list) -> str:
    """An id that sorts after every other one, also when the clock was set back."""
    moment, last = host.clock.utc(), records[-1].id if records else ""
    while stamp(moment) <= last[:16]:
        moment += datetime.timedelta(seconds=1) if stamp(moment) == last[:16] else parse_stamp(last) - moment
    return names.release_id(stamp(moment), files.random_hex(4))


def _release(host: Host) -> Outcome:
    store = host.store
    records, current = store.records(), store.current()
    live = record.by_id(records).get(current)
    target = _target(host, records, current)
    identifier = _identifier(host, records)
    root = store.path(identifier)
    started = host.elapsed()
    try:
        files.make_directory(root, 0o755)
        content = _content(host, root, target)
        prepared, wanted, decided = _decide(host, content, live, check=False, rollback=bool(target))
    except BaseException:
        store.remove(identifier)  # nothing was touched, so there is no release to speak of
        raise
    new = _new_record(host, identifier, prepared, wanted, decided, target, current)
    if not decided.changed and not decided.leftovers and _same(new, live):
        store.remove(identifier)
        host.event("nothing to do")
        return _outcome(host, False, live, decided, live)
    store.save(new)
    restore = _restorer(host, live, current)
    work = rollout.Rollout(host, identifier, prepared, wanted, decided, restore)
    try:
        work.journal(rollout.PREPARE, current)
        work.prepare()
        work.journal(rollout.SWITCH, current)
        work.switch()
        new = record.ended(new, record.SUCCEEDED, duration=host.elapsed() - started)
        store.set_current(identifier)  # from here on the release is live, whatever happens to this process
    except BaseException as exc:
        _take_back(host, work, new, exc, host.elapsed() - started, current)
    host.event(f"release {identifier} is live")
    for words, step in (
        ("its record could not be written", lambda: store.save(new)),
        ("its predecessor could not be removed completely", work.drain),
        ("older releases could not be removed", lambda: _prune(host)),
    ):
        try:
            step()
        except (ComposeReleaseError, OSError) as exc:
            host.warn(f"Release {identifier} is live, but {words}: {_sentence(exc, 'finish it')} The next release tries again.")
    store.clear_journal()
    return _outcome(host, True, new, decided, live)


def _take_back(host: Host, work, new: record.Record, exc: BaseException, duration: float, current: str) -> None:
    """Undoes, records, and raises the sentence that says what happened."""
    cause = host.redact(_sentence(exc, "write the release's files")) or type(exc).__name__
    host.event(f"failed: {cause.splitlines()[0]}")
    stays = f"release {current} goes on unchanged" if current else "nothing is live"
    result = record.INTERRUPTED if isinstance(exc, Interrupted) else record.FAILED
    store, problems = host.store, []
    for step in (  # traffic first, files after; each is tried whatever became of the one before
        work.undo,
        lambda: store.restore_current(current),
        lambda: store.forget_environment(new.id),
        lambda: store.save(record.ended(new, result, duration=duration, error=cause)),
        store.clear_journal,
    ):
        try:
            step()
        except (ComposeReleaseError, OSError) as problem:
            problems.append(host.redact(_sentence(problem, "record the failed release")))
    unique = " ".join(dict.fromkeys(problems))
    words = f" Taking it back was not complete: {unique} Run the release again; it begins with what is left." if problems else ""
    if not isinstance(exc, (ComposeReleaseError, OSError)):
        raise exc
    first, newline, rest = cause.partition("\n")
    raise ReleaseFailed(f"Release {new.id} of {new.project} {result}, and {stays}: {first}{newline}{rest}{words}") from exc


def _sentence(exc: BaseException, attempt: str) -> str:
    return str(files.failure(attempt, exc)) if isinstance(exc, OSError) else str(exc)


def _restorer(host: Host, live, current: str):
    """A function that gives the live release as it was prepared, read again when somebody needs it."""
    known: list = []

    def restore():
        if not known:
            root = host.store.path(current)
            if live:
                known.append(prepare.load(host, _recorded(root, live), host.docker.containers()))
            elif current and os.path.isdir(root):  # its record is damaged, its files are not
                options = host.options
                content = prepare.Content(root, options.compose_file, options.images, {}, options.treatments())
                known.append(prepare.load(host, content, host.docker.containers()))
            else:
                known.append(None)
        return known[0]

    return restore


def _prune(host: Host) -> None:
    """Removes releases that no rollback goes back to, and the images that only they used; nothing while a record cannot be read."""
    store = host.store
    if store.damaged():
        return
    records = store.records()
    containers = host.docker.containers()
    current, keep = store.current(), host.options.keep_releases
    # A container that still runs may mount files of an old release; that keeps the directory, not the images of the other services.
    gone = record.superseded(records, current, keep, {one.release for one in containers})
    old = set(record.superseded(records, current, keep, set()))
    kept = {image for item in records if item.id not in old for image in item.images.values()}
    kept |= {one.image for one in containers} | {one.image_id for one in containers}
    for image in sorted({image for item in records if item.id in old for image in item.images.values()} - kept):
        if host.docker.remove_image(image):
            host.event(f"removed image {image}")
    for identifier in gone:
        store.remove(identifier)
        host.event(f"removed release {identifier}")


def _outcome(host: Host, changed: bool, shown, decided: plan.Plan, live) -> Outcome:
    before, after = record.diff_pair(live, shown)
    services = [
        {
            "service": action.service,
            "kind": action.kind,
            "action": action.action,
            "reasons": list(action.reasons),
            "colour": action.new,
            "image": action.image,
        }
        for action in decided.actions
    ]
    return Outcome(changed, shown.shown() if shown else {}, services, host.warnings, host.timeline, before, after)
