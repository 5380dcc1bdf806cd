"""The rules and alarms of deploy/cloudwatch: of the shape that is documented, and what the rules make of real lines."""

import collections
import json
import pathlib
import re

import pytest
from minutes import watched

DEPLOY = pathlib.Path(__file__).parents[3] / "deploy" / "cloudwatch"

pytestmark = pytest.mark.skipif(not DEPLOY.is_dir(), reason="this is not the repository")

#: DynamoDB's limits for a partition, in units a second.
LIMITS = {"writes": 1_000, "reads": 3_000}
#: The operators of filters, and what follows them.
OPERATORS = {"In": list, "NotIn": list, "StartsWith": list, "IsPresent": bool} | dict.fromkeys(
    ["GreaterThan", "LessThan", "EqualTo", "NotEqualTo"], (int, float)
)


def loaded(name):
    return json.loads((DEPLOY / name).read_text())


def validated(operation, parameters):
    """Checks the parameters of an operation by botocore's own model of CloudWatch."""
    session = pytest.importorskip("botocore.session").get_session()
    shape = session.get_service_model("cloudwatch").operation_model(operation).input_shape
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(parameters, shape)
    assert not report.has_errors(), report.generate_report()


def check_rule(rule):
    """The demands of the syntax of Contributor Insights rules."""
    assert rule.keys() == {"Schema", "LogGroupNames", "LogFormat", "Contribution", "AggregateOn"}
    assert rule["Schema"] == {"Name": "CloudWatchLogRule", "Version": 1}
    assert rule["LogFormat"] == "JSON" and rule["AggregateOn"] == "Sum"
    assert rule["LogGroupNames"] and all("*" not in name[:-1] for name in rule["LogGroupNames"])
    contribution = rule["Contribution"]
    assert contribution.keys() == {"Keys", "ValueOf", "Filters"}
    assert 1 <= len(contribution["Keys"]) <= 4 and len(contribution["Filters"]) <= 4
    paths = [*contribution["Keys"], contribution["ValueOf"], *(each["Match"] for each in contribution["Filters"])]
    assert all(re.fullmatch(r"\$(\.[A-Za-z0-9]+)+", path) for path in paths)
    for each in contribution["Filters"]:
        ((operator, operand),) = ((name, value) for name, value in each.items() if name != "Match")
        assert isinstance(operand, OPERATORS[operator])
        assert not isinstance(operand, list) or (1 <= len(operand) <= 10 and all(isinstance(o, str) for o in operand))


def contributors(rule, lines):
    """The sum of each contributor, as the rule's syntax says: its filters are all met, and it has all keys."""
    contribution, sums = rule["Contribution"], collections.Counter()
    for line in lines:
        if all(line.get(each["Match"][2:]) in each["In"] for each in contribution["Filters"]):
            sums[tuple(line[key[2:]] for key in contribution["Keys"])] += line[contribution["ValueOf"][2:]]
    return sums


@pytest.mark.parametrize("kind", LIMITS)
def test_the_rules_and_alarms_are_of_the_documented_shape(kind):
    rule, alarm = loaded(f"hotpart-{kind}.rule.json"), loaded(f"hotpart-{kind}.alarm.json")
    check_rule(rule)
    text = (DEPLOY / f"hotpart-{kind}.rule.json").read_text()
    assert text.isascii() and len(text) <= 8_192
    name = {"RuleName": f"hotpart-{kind}", "RuleState": "ENABLED"}
    validated("PutInsightRule", {**name, "RuleDefinition": text})
    validated("PutMetricAlarm", alarm)
    (query,) = alarm["Metrics"]
    assert query["Expression"] == f'INSIGHT_RULE_METRIC("hotpart-{kind}", "MaxContributorValue")'
    assert query["ReturnData"] and query["Period"] % 60 == 0 and re.fullmatch("[a-z][A-Za-z0-9_]*", query["Id"])
    assert alarm["Threshold"] == 0.8 * LIMITS[kind] * query["Period"]


def test_the_template_has_the_same():
    template = loaded("hotpart.template.json")
    for kind in LIMITS:
        rule = template["Resources"][f"{kind.capitalize()}Rule"]
        alarm = template["Resources"][f"{kind.capitalize()}Alarm"]
        assert (rule["Type"], alarm["Type"]) == ("AWS::CloudWatch::InsightRule", "AWS::CloudWatch::Alarm")
        assert rule["Properties"].keys() == {"RuleName", "RuleState", "RuleBody"}
        body = rule["Properties"]["RuleBody"]["Fn::Sub"]
        default = template["Parameters"]["LogGroups"]["Default"]
        assert json.loads(body.replace("${LogGroups}", default)) == loaded(f"hotpart-{kind}.rule.json")
        # In what is substituted nothing else may look like a parameter.
        assert body.count("${") == 1
        properties = dict(alarm["Properties"])
        assert properties.pop("AlarmActions") == [{"Ref": "Topic"}] and alarm["DependsOn"] == f"{kind.capitalize()}Rule"
        assert properties == loaded(f"hotpart-{kind}.alarm.json")


def test_the_rules_add_up_the_lines_of_all_sandboxes():
    lines, truth = [], collections.Counter()
    for sandbox in range(5):
        detector, writer, log = watched(lines={"hottest": 2}, capacity=True)
        for minute in range(3):
            detector.set_time(minute * 60 + sandbox)
            for pk, units in [("hot", 100), ("warm", 10 + sandbox), ("cold", 0.5)]:
                detector.record_write("t", pk, units)
                truth["t", pk, "write"] += units
            detector.record_read("t", "hot", 7)
            truth["t", "hot", "read"] += 7
            detector.record_throttle("t", "hot", "write")
            truth["t", "hot", "write"] += 1
        detector.set_time(182 + sandbox)
        writer.flush()
        lines += log
    lines.append({"pk": "of the function's own", "table": "t", "operation": "write", "demand": 9_999})
    del truth["t", "cold", "write"]
    kinds = {kind: contributors(loaded(f"hotpart-{kind}.rule.json"), lines) for kind in LIMITS}
    assert kinds["writes"] + kinds["reads"] == truth
    assert kinds["reads"].keys() == {("t", "hot", "read")}
    assert max(kinds["writes"].values()) == 5 * 3 * 101
