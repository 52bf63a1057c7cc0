"""Recipes: what is read, and what is refused with which words."""

import re

import pytest
from torch import nn

from course_utils.compression import registry
from course_utils.compression.recipe import Parameter, RecipeError, parse, step


@pytest.fixture(autouse=True)
def toy_steps(monkeypatch):
    """The registry with two more steps of each kind that the tests need."""
    registry.steps()
    monkeypatch.setattr(registry, "_STEPS", dict(registry._STEPS))
    share = Parameter("share", float, "of all parts, to remove", required=True, low=0, high=0.9)
    way = Parameter("by", str, "what is removed", default="size", choices=("size", "chance"))
    step("cut", stage="shape", help="", parameters=[share, way])(lambda model, context, share, by: model)
    step("bits", stage="integers", help="", parameters=[Parameter("group", int, "", default=64, low=2)])(
        lambda model, context, group: model
    )
    step("machine", stage="engine", help="")(lambda model, context: model)


def test_values_and_defaults():
    found = parse(" cut=0.25 , bits , fp16 ")
    assert [p.step.name for p in found.planned] == ["cut", "bits", "fp16"]
    assert found.planned[0].values == {"share": 0.25, "by": "size"}
    assert found.planned[1].values == {"group": 64}


@pytest.mark.parametrize(
    "text", ["cut=0.25", "cut=0.25:by=chance,cut=0.5", "cut=0.1,bits=32,fp16", "cut=0.2,machine"]
)
def test_a_recipe_is_written_as_it_is_read(text):
    assert str(parse(text)) == text
    assert str(parse(str(parse(text)))) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the recipe '' has an empty step"),
        ("bits,,fp16", "has an empty step"),
        ("bitz", "unknown step 'bitz': did you mean 'bits'? there are "),
        (
            "cut",
            "step 'cut' needs share: a number from 0 to 0.9 (of all parts, to remove); write cut=SHARE[",
        ),
        ("cut=0.95", "share='0.95': expected a number from 0 to 0.9"),
        ("cut=nan", "share='nan': expected a number from 0 to 0.9"),
        ("cut=lots", "share='lots': expected a number"),
        ("bits=2.5", "group='2.5': expected a whole number of at least 2"),
        ("cut=0.1:by=luck", "by='luck': expected one of size, chance"),
        ("cut=0.1:to=3", "step 'cut' has no option 'to'; write cut=SHARE[:by=BY]"),
        ("cut=0.1:by", "option 'by' has no value"),
        ("cut=0.1:share=0.2", "option 'share' is given twice"),
        ("machine=3", "step 'machine' takes no value, got '3'"),
        (
            "bits,cut=0.5",
            "'cut' cannot follow 'bits': weights that are stored as integers can no longer be changed",
        ),
        ("fp16,tune", "'tune' cannot follow 'fp16': weights in half precision are final"),
        ("machine,bits", "'bits' cannot follow 'machine': a model that was handed to another engine"),
        ("bits,machine", "'machine' cannot follow 'bits': it takes a model in full precision"),
        ("bits,bits=32", "'bits' and 'bits' exclude each other"),
    ],
)
def test_what_cannot_be_followed_is_said(text, message):
    with pytest.raises(RecipeError, match=re.escape(message)):
        parse(text)


def test_a_name_belongs_to_one_module(monkeypatch):
    def elsewhere(model, context):
        return nn.Identity()

    monkeypatch.setattr(elsewhere, "__module__", "course_utils.compression.other")
    with pytest.raises(ValueError, match="the step 'cut' is registered by"):
        step("cut", stage="shape", help="")(elsewhere)
