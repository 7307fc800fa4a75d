use std::fmt::Write;

use model::{Path, Resource};
use proptest::prelude::*;

use super::*;

fn read_text(text: &str) -> Snapshot {
    read(text, "t.yaml", &Parameters::default(), &Limits::default(), &|_, _| None)
}

fn place(resource: &Resource, path: &str) -> String {
    let span = resource.spans.get(Path::parse(path)).unwrap_or_else(|| panic!("no place for {path}"));
    format!("{}:{}-{}:{}", span.line, span.column, span.end_line, span.end_column)
}

#[test]
fn every_property_knows_where_it_was_written() {
    let text = "\
Parameters:
  P: {Type: String, Default: x}
Conditions:
  C: !Equals [!Ref P, x]
Resources:
  R:
    Type: AWS::S3::Bucket
    Properties:
      Name: !Ref P
      Rules:
        - !Ref AWS::NoValue
        - Key: !If [C, {A: 1}, {A: 2}]
      Text: |
        one
        two
      Chosen:
        Fn::If:
          - C
          - Inner: 5
          - !Ref AWS::NoValue
  S: {Type: AWS::SNS::Topic}
";
    let snapshot = read_text(text);
    let r = &snapshot.resources[0];
    assert_eq!(place(r, "Name"), "9:7-9:19");
    assert_eq!(place(r, "Rules[0].Key"), "12:11-12:39");
    assert_eq!(place(r, "Rules[0].Key.A"), "12:25-12:29");
    assert_eq!(place(r, "Text"), "13:7-15:12");
    assert_eq!(place(r, "Chosen.Inner"), "19:13-19:21");
    assert_eq!(r.origin.span.map(|s| (s.line, s.column, s.end_line)), Some((6, 3, 20)));
    assert_eq!(snapshot.resources[1].origin.span.map(|s| (s.line, s.end_column)), Some((21, 29)));
    assert_eq!(r.place("Nothing.Here"), Some(r.origin.span.unwrap()));
}

#[test]
fn a_list_that_loses_an_item_keeps_the_places_of_the_others() {
    let text = "Resources:\n  R:\n    Type: Custom::X\n    Properties:\n      L:\n        - !Ref AWS::NoValue\n        - b\n";
    assert_eq!(place(&read_text(text).resources[0], "L[0]"), "7:11-7:12");
}

#[test]
fn too_much_work_is_a_gap() {
    let limits = Limits { work_max: 20, ..Limits::default() };
    let read = |items: usize| {
        let list = vec!["a"; items].join(", ");
        let text = format!("Resources:\n  R:\n    Type: Custom::X\n    Properties: {{L: [{list}]}}\n");
        read(&text, "t.yaml", &Parameters::default(), &limits, &|_, _| None)
    };
    assert!(read(18).gaps.is_empty());
    let over = read(19);
    assert_eq!(over.gaps.len(), 1);
    assert_eq!(over.gaps[0].help.as_deref(), Some("the limit is `work_max`"));
    assert!(over.resources[0].prop("L").has_unknown());
}

#[test]
fn composed_text_cannot_explode() {
    let mut text = String::from("Parameters:\n  P0: {Type: String, Default: ");
    text.push_str(&"x".repeat(60_000));
    text.push_str("}\nResources:\n  R:\n    Type: Custom::X\n    Properties:\n");
    for n in 0..200 {
        let holes = "${P0}".repeat(200);
        writeln!(text, "      K{n}: !Sub '{holes}'").unwrap();
    }
    let limits = Limits { work_max: 100_000, ..Limits::default() };
    let snapshot = read(&text, "t.yaml", &Parameters::default(), &limits, &|_, _| None);
    assert_eq!(snapshot.gaps.len(), 1);
}

#[test]
fn loops_and_worlds_have_a_limit() {
    let limits = Limits { loop_items_max: 3, worlds_max: 2, ..Limits::default() };
    let read = |text: &str| read(text, "t.yaml", &Parameters::default(), &limits, &|_, _| None);
    let looped = |items: &str| format!("Resources:\n  Fn::ForEach::L: [N, [{items}], {{\"R${{N}}\": {{Type: 'Custom::X'}}}}]\n");
    assert_eq!((read(&looped("a, b, c")).resources.len(), read(&looped("a, b, c")).gaps.len()), (3, 0));
    let over = read(&looped("a, b, c, d"));
    assert_eq!((over.resources.len(), over.gaps[0].help.as_deref()), (3, Some("the limit is `loop_items_max`")));
    let worlds = |values: &str| {
        format!(
            "Parameters:\n  P: {{Type: String, AllowedValues: [{values}]}}\nConditions:\n  C: !Equals [!Ref P, a]\n\
             Resources:\n  R: {{Type: Custom::X, Condition: C}}\n"
        )
    };
    assert_eq!(read(&worlds("a, b")).scopes.len(), 2);
    let over = read(&worlds("a, b, c"));
    assert_eq!((over.scopes.len(), over.gaps.len(), over.resources.len()), (1, 1, 1));
}

#[test]
fn a_long_chain_of_conditions_ends() {
    let mut text = String::from("Conditions:\n  C0: !Equals [a, a]\n");
    for n in 1..10_000 {
        writeln!(text, "  C{n}: !Not [!Condition C{}]", n - 1).unwrap();
    }
    text.push_str("Resources:\n  R: {Type: Custom::X, Condition: C9999}\n");
    let snapshot = read_text(&text);
    assert!(snapshot.gaps.iter().any(|g| g.detail == "conditions are nested too deep"));
    assert_eq!(snapshot.resources.len(), 1);
}

#[test]
fn what_is_as_deep_as_is_read_fits_the_stack() {
    let plain = format!("{}1{}", "{a: ".repeat(120), "}".repeat(120));
    let chosen = format!("{}1{}", "{\"Fn::If\": [C, ".repeat(58), ", 2]}".repeat(58));
    let joined = format!("{}x{}", "{\"Fn::Join\": ['', [".repeat(38), "]]}".repeat(38));
    for deep in [plain, chosen, joined] {
        let text = format!(
            "Conditions: {{C: !Equals [a, a]}}\nResources:\n  R:\n    Type: Custom::X\n    Properties: {{P: {deep}, \
             N: !GetAtt S.Outputs.O}}\n  S: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: t, Parameters: {{P: {deep}}}}}}}\n\
             Outputs: {{O: {{Value: {deep}}}}}\n"
        );
        let own = text.clone();
        let load = move |_: &str, _: &str| Some(Loaded { file: "n.yaml".to_owned(), text: own.clone() });
        let snapshot = read(&text, "t.yaml", &Parameters::default(), &Limits::default(), &load);
        assert_eq!(snapshot.resources.first().map(|r| r.prop("P").has_unknown()), Some(false), "{:?}", snapshot.gaps);
    }
}

#[test]
fn the_same_text_gives_the_same_snapshot() {
    let text = include_str!("../../tests/cloudformation/worlds.yaml");
    assert_eq!(read_text(text), read_text(text));
}

/// Templates that are wrong in most places.
fn template() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("1".to_owned()),
        Just("null".to_owned()),
        Just("\"${A.b}-${P}\"".to_owned()),
        Just("!Ref A".to_owned()),
        Just("!Ref P".to_owned()),
        Just("!Ref AWS::NoValue".to_owned()),
        Just("!Ref AWS::Region".to_owned()),
        Just("!Condition C".to_owned()),
        Just("!GetAtt A.Arn".to_owned()),
        Just("{{resolve:x".to_owned()),
    ];
    let node = leaf.prop_recursive(4, 24, 4, |inner| {
        let function = prop::sample::select(vec![
            "Ref",
            "GetAtt",
            "Sub",
            "Join",
            "Select",
            "Split",
            "FindInMap",
            "If",
            "Equals",
            "And",
            "Or",
            "Not",
            "Condition",
            "ImportValue",
            "Cidr",
            "Base64",
            "GetAZs",
            "Transform",
            "ToJsonString",
            "Length",
            "ForEach::X",
            "Other",
        ]);
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(", ")));
        let map = prop::collection::vec(("[ABPC]", inner.clone()), 0..3)
            .prop_map(|v| format!("{{{}}}", v.into_iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>().join(", ")));
        let any = prop_oneof![list, map, inner];
        prop_oneof![
            any.clone(),
            (function.clone(), any.clone()).prop_map(|(f, a)| format!("{{\"Fn::{f}\": {a}}}")),
            (function, any).prop_map(|(f, a)| if a.starts_with('!') { a } else { format!("!{} {a}", f.replace(':', "")) }),
        ]
    });
    prop::collection::vec(node, 6).prop_map(|n| {
        format!(
            "Parameters: {{P: {{Type: String, AllowedValues: {}}}, Q: {}}}\nMappings: {{A: {}}}\nConditions: {{C: {}, B: !Not [!Condition C]}}\n\
             Resources:\n  A:\n    Type: AWS::CloudFormation::Stack\n    Condition: C\n    Properties: {}\n  B: {}\n",
            n[0], n[1], n[2], n[3], n[4], n[5]
        )
    })
}

proptest! {
    #[test]
    fn no_template_panics(text in template()) {
        let own = text.clone();
        let load = move |_: &str, _: &str| Some(Loaded { file: "n.yaml".to_owned(), text: own.clone() });
        let _ = read(&text, "t.yaml", &Parameters::default(), &Limits { nested_max: 3, ..Limits::default() }, &load);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = read_text(&text);
    }
}

#[test]
fn rules_refuse_choices() {
    let template = |rules: &str| {
        format!(
            "Parameters:\n  Stage: {{Type: String, AllowedValues: [dev, test, prod]}}\n  Open: {{Type: String, AllowedValues: [\"true\", \"false\"]}}\n\
             Rules:\n{rules}\
             Conditions:\n  IsProd: !Equals [!Ref Stage, prod]\n  IsOpen: !Equals [!Ref Open, \"true\"]\n\
             Resources:\n  R:\n    Type: Custom::X\n    Properties: {{A: !If [IsProd, 1, 2], B: !If [IsOpen, 1, 2]}}\n"
        )
    };
    let labels = |rules: &str| {
        let snapshot = read_text(&template(rules));
        snapshot.scopes.iter().map(|scope| scope.world.to_string()).collect::<Vec<_>>()
    };
    let open_in_prod = "  Closed:\n    RuleCondition: !Equals [!Ref Stage, prod]\n    Assertions:\n      - Assert: !Not [!Equals [!Ref Open, \"true\"]]\n";
    assert_eq!((labels("").len(), labels(open_in_prod).len()), (4, 3));
    let only_prod = "  Prod:\n    Assertions:\n      - Assert:\n          Fn::Contains: [[prod], !Ref Stage]\n";
    assert_eq!(labels(only_prod).len(), 2);
    assert_eq!(labels(&format!("{open_in_prod}{only_prod}")).len(), 1);
    // What is not known refuses nothing.
    assert_eq!(labels("  Odd:\n    Assertions:\n      - Assert: !EachMemberIn [!ValueOfAll [X, Y], [z]]\n").len(), 4);
    assert_eq!(labels("  Odd: [1]\n  Other: x\n").len(), 4);
    let never = read_text(&template("  No:\n    Assertions:\n      - Assert: !Equals [a, b]\n"));
    assert_eq!((never.scopes.len(), never.resources.len()), (1, 1));
    assert!(never.gaps.iter().any(|gap| gap.what == "rules"), "{:?}", never.gaps);
}

#[test]
fn a_template_includes_files_beside_it() {
    let text = "Transform: [{Name: AWS::Include, Parameters: {Location: more.yaml}}, {Name: AWS::Include, Parameters: {Location: s3://b/x}}]\n\
                Resources:\n  Own: {Type: AWS::SNS::Topic}\n";
    let more = "Mappings: {M: {a: {b: c}}}\nResources:\n  Own: {Type: AWS::SQS::Queue}\n  More:\n    Type: AWS::SQS::Queue\n    Properties: {QueueName: !FindInMap [M, a, b]}\n";
    let load =
        |_: &str, place: &str| (place == "more.yaml").then(|| Loaded { file: "more.yaml".to_owned(), text: more.to_owned() });
    let snapshot = super::read(text, "t.yaml", &Parameters::default(), &Limits::default(), &load);
    let found: Vec<_> = snapshot
        .resources
        .iter()
        .map(|r| (&*r.id, r.type_name.as_str(), r.name.as_deref(), r.origin.span.unwrap().line))
        .collect();
    assert_eq!(found, [("Own", "AWS::SNS::Topic", None, 3), ("More", "AWS::SQS::Queue", Some("c"), 1)]);
    assert_eq!(snapshot.gaps.iter().filter(|gap| gap.what == "transform `AWS::Include`").count(), 1);
    // One that includes itself ends.
    let own = text.to_owned();
    let load = move |_: &str, _: &str| Some(Loaded { file: "t.yaml".to_owned(), text: own.clone() });
    assert_eq!(super::read(text, "t.yaml", &Parameters::default(), &Limits::default(), &load).resources.len(), 1);
}
