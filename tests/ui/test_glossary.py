"""One word for one thing, in both languages: what the glossary says is what screens, refusals and paper say."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent.parent
GLOSSARY: Final = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
OTHERS: Final = {
    "待验": r"待检(?!验)", "拣料": r"拣货", "工厂规则": r"策略", "主批生产记录": r"批记录模板|主批记录|母批记录",
    "操作指令": r"操作说明|作业指导", "检验计划": r"检验方案", "冻结": r"挂起|锁定批次", "清场": r"清线",
    "返工": r"返修", "谱系": r"族谱|家谱", "报工": r"报产", "工位": r"工作站|工站", "偏差": r"异常偏离",
    "物料清单": r"材料清单|物料表", "拣料单": r"领料单", "召回": r"回收批次", "审计追踪": r"审计跟踪|审计轨迹",
}  # fmt: skip
"""The glossary's word → words that somebody else would use for the same thing, and that stand nowhere."""
PLACES: Final = sorted(
    path
    for folder, pattern in (("wording/i18n", "*.json"), ("api/ui/templates", "*.html"), ("adapters", "*.py"),
                            ("plants", "*.py"), ("api", "*.py"), ("domain", "*.py"), ("reporting", "*.py"))
    for path in (ROOT / folder).rglob(pattern)
)  # fmt: skip


def test_the_glossary_has_every_word_that_is_kept() -> None:
    assert [word for word in OTHERS if word not in GLOSSARY] == []
    rows = [line.split("|")[1:4] for line in GLOSSARY.splitlines() if line.startswith("| ") and "---" not in line]
    assert all(english.strip() and chinese.strip() for english, chinese, _ in rows)


@pytest.mark.parametrize("word", OTHERS)
def test_nothing_is_called_by_another_word(word: str) -> None:
    wrong = re.compile(OTHERS[word])
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()[:100]}"
        for path in PLACES
        for line in path.read_text(encoding="utf-8").splitlines()
        # PackML's Suspended is a state of a machine, not a hold of ours.
        if wrong.search(line) and '"machineState.' not in line
    ]
    assert found == [], f"it is called {word}"


def test_the_words_of_the_glossary_are_those_of_the_screens() -> None:
    """English term → the text of the console that has to be the glossary's."""
    texts: dict[str, list[str]] = {}
    for path in (ROOT / "wording" / "i18n").glob("*.json"):
        texts |= json.loads(path.read_text(encoding="utf-8"))
    same = {
        "lot.quarantine": "待验", "entity.pick-list": "拣料单", "entity.master batch record": "主批生产记录",
        "mbr.instructions": "操作指令", "configuration.kind.inspectionPlan": "检验计划",
        "configuration.kind.policy": "工厂规则", "mbr.title": "主批生产记录",
    }  # fmt: skip
    assert {key: texts[key][1] for key in same} == same
    assert [word for word in same.values() if word not in GLOSSARY] == []
