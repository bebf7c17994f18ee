"""Files that layers keep beside their arrays, such as vocabularies: read and written in memory.

A layer of Kerata's own gets a mapping from plain names to bytes (`save_assets(store)`, `load_assets(store)`). The
interface of Keras hands a folder to a layer instead. A class of the caller's own may rely on that, so it gets one,
which is gone when its method returns; for a file alone no folder is ever made.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kerata.core.errors import RefusedFileError
from kerata.saving.archive import ASSETS, Archive
from kerata.saving.limits import Limits
from kerata.saving.source import open_source
from kerata.saving.walk import saved_objects

Reader = Callable[[], bytes]


def from_archive(archive: Archive) -> dict[str, Reader]:
    """The assets of an archive by path, each read when it is asked for."""

    def reader(name: str) -> Reader:
        return lambda: archive.read(name, archive.members[name].size)

    return {name[len(ASSETS) :]: reader(name) for name in archive.members if name.startswith(ASSETS)}


def from_folder(folder: Path, limits: Limits) -> dict[str, Reader]:
    """The assets in a folder by path; no link in it is followed."""

    def reader(path: str) -> Reader:
        def read() -> bytes:
            with open_source(path) as source:
                return source.read(0, source.size, path)

        return read

    found: dict[str, Reader] = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if os.path.islink(os.path.join(top, name)):
                raise RefusedFileError(folder, name, "an asset must not be a link")
        for name in files:
            path = os.path.join(top, name)
            found[Path(path).relative_to(folder).as_posix()] = reader(path)
        if len(found) > limits.members:
            raise RefusedFileError(folder, "assets", f"there are more than {limits.members} files")
    return found


def load(model: Any, assets: Mapping[str, Reader], file: str) -> None:
    """Hands the assets to the layers that they belong to.

    Raises:
        RefusedFileError: if there are assets that no layer of the model takes.
    """
    left = dict(assets)
    if not left:
        return
    takers = [(path, item) for path, item in saved_objects(model) if hasattr(item, "load_assets")]
    takers.sort(
        key=lambda taker: -len(taker[0])
    )  # what is in a layer's folder may belong to a layer inside it
    for path, item in takers:
        prefix = f"{path}/" if path else ""
        deep = not _is_own(item, "load_assets")
        own = {name: left.pop(name) for name in list(left) if _belongs(name, prefix, deep)}
        if own:
            _hand_over(item, {name[len(prefix) :]: read() for name, read in own.items()}, file)
    if left:
        raise RefusedFileError(file, f"{ASSETS}{next(iter(left))}", "no layer of the model takes this file")


def _belongs(name: str, prefix: str, deep: bool) -> bool:
    return name.startswith(prefix) and (deep or "/" not in name[len(prefix) :])


def _hand_over(item: Any, store: dict[str, bytes], file: str) -> None:
    if _is_own(item, "load_assets"):
        item.load_assets(store)
        return
    with tempfile.TemporaryDirectory(prefix="kerata-assets-") as folder:
        for name, data in store.items():
            path = Path(folder, name)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            except OSError as error:  # a file where another name has a folder, a name that is too long
                raise RefusedFileError(
                    file, ASSETS + name, f"it cannot be written: {error.strerror}"
                ) from None
        item.load_assets(folder)


def collect(model: Any) -> dict[str, bytes]:
    """The assets of all layers of a model, by the names that they have in an archive."""
    found: dict[str, bytes] = {}
    for path, item in saved_objects(model):
        if not hasattr(item, "save_assets"):
            continue
        prefix = f"{ASSETS}{path}/" if path else ASSETS
        store: dict[str, bytes] = {}
        if _is_own(item, "save_assets"):
            item.save_assets(store)
        else:
            with tempfile.TemporaryDirectory(prefix="kerata-assets-") as folder:
                item.save_assets(folder)
                files = (path for path in sorted(Path(folder).rglob("*")) if path.is_file())
                store = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        found.update({prefix + name: data for name, data in store.items()})
    return found


def _is_own(item: Any, method: str) -> bool:
    """Whether a method is Kerata's, not one that the caller's class brings."""
    return getattr(type(item), method).__module__.partition(".")[0] == "kerata"
