"""A folder of texts and fonts is taken whole, or refused."""

from __future__ import annotations

import orjson
import pytest
from pagemill.engine.errors import ConfigError
from pagemill.engine.typeset.material import load_material


def test_a_folder_that_is_none_is_refused(tmp_path, folder):
    with pytest.raises(ConfigError, match="make_small_data"):
        load_material(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b'{"schema": "other"}')
    with pytest.raises(ConfigError, match="is not a manifest"):
        load_material(tmp_path)
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    for section, message in (("fonts", "no fonts"), ("texts", "no language")):
        broken = {**manifest, section: []}
        for path in folder.rglob("*.*"):
            target = tmp_path / path.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
        (tmp_path / "manifest.json").write_bytes(orjson.dumps(broken))
        with pytest.raises(ConfigError, match=message):
            load_material(tmp_path)
    manifest["texts"][0]["bytes"] += 1
    (tmp_path / "manifest.json").write_bytes(orjson.dumps(manifest))
    with pytest.raises(ConfigError, match="the manifest says"):
        load_material(tmp_path)
