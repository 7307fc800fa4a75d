//! What the configuration beside a plan says where the plan only says "known after apply": documents and composed texts.

use model::{Map, Reason, Value};

use super::address::{self, Key, Step};
use super::build::Builder;
use super::expression;
use super::input::{Instance, Sensitive};
use super::json::{self, Node};
use super::places::Sources;

/// Locals that may lead to locals.
const LOCALS_DEPTH_MAX: usize = 8;

impl<'n> Builder<'n> {
    /// Puts what is written in the place of unknowns, and of links, which may be only a part of a text. What must not be shown
    /// stays as it is, and so does what is written in one of several blocks of the same name.
    pub(crate) fn read_written(&self, instance: &'n Instance<'n>, sources: &Sources, raw: &mut Map) {
        let Some(written) = sources.blocks.get(&instance.block_name()).filter(|_| instance.unknown.is_some() || instance.omitted)
        else {
            return;
        };
        for (name, text) in &written.texts {
            let once = written.texts.iter().filter(|(other, _)| other == name).count() == 1;
            let Some(slot) = slot(raw, name).filter(|_| once && !is_sensitive(instance, name)) else { continue };
            let open = match slot {
                Value::Link(_) => true,
                Value::Unknown(unknown) => unknown.reason == Reason::AfterApply,
                _ => false,
            };
            if !open {
                continue;
            }
            let value = expression::value(text, 0, &|head, locals| self.refer(instance, sources, head, locals));
            if !matches!(value, Value::Unknown(_)) {
                *slot = value;
            }
        }
    }

    /// What a reference means in a resource's block.
    fn refer(&self, instance: &'n Instance<'n>, sources: &Sources, head: &str, locals: usize) -> Value {
        let module = address::module_path(&instance.module);
        match (address::steps(head).as_slice(), &instance.key) {
            ([Step::Name("each"), Step::Name("key")], Some(Key::Str(key))) => Value::text(key),
            ([Step::Name("count"), Step::Name("index")], Some(Key::Int(n))) => Value::Int(*n),
            ([Step::Name("local"), Step::Name(name), rest @ ..], _) => {
                let text = sources.locals.get(&(module, (*name).to_owned())).filter(|_| locals < LOCALS_DEPTH_MAX);
                let Some(text) = text else { return Value::unknown(Reason::AfterApply, head) };
                let value = expression::value(text, locals + 1, &|head, locals| self.refer(instance, sources, head, locals));
                follow(value, rest, head)
            }
            ([Step::Name("var"), Step::Name(name), rest @ ..], _) => match self.variable(instance, &module, name) {
                Some(value) => follow(value, rest, head),
                None => self.reference(instance, head),
            },
            _ => self.reference(instance, head),
        }
    }

    /// The value of a variable that is known and may be shown: of the root module, or written as it is in the call of a module.
    fn variable(&self, instance: &Instance<'_>, module: &str, name: &str) -> Option<Value> {
        let config = &self.resolver.input.config;
        let declared = config.module(module).and_then(|m| m.at(&["variables", name]));
        if declared.and_then(|d| d.get("sensitive")).is_some_and(Node::is_true) {
            return Some(Value::unknown_present(Reason::Unsupported, "sensitive value"));
        }
        match address::parent(&instance.module) {
            None => config.variable(name).map(json::to_value),
            Some((parent, call, _)) => {
                let calls = config.module(&address::module_path(&parent))?;
                calls.at(&["module_calls", call, "expressions", name, "constant_value"]).map(json::to_value)
            }
        }
    }
}

/// The value behind further steps: members of objects and items of lists.
fn follow(value: Value, steps: &[Step<'_>], head: &str) -> Value {
    let mut at = value;
    for step in steps {
        let inner = match (&at, step) {
            (Value::Map(map), Step::Name(name)) => map.get(name).cloned(),
            (Value::Map(map), Step::Index(Key::Str(key))) => map.get(key).cloned(),
            (Value::List(items), Step::Index(Key::Int(n))) => usize::try_from(*n).ok().and_then(|n| items.get(n).cloned()),
            _ => None,
        };
        at = inner.unwrap_or_else(|| Value::unknown(Reason::AfterApply, head));
    }
    at
}

/// The argument, or the argument in the only block of its name.
fn slot<'r>(raw: &'r mut Map, path: &str) -> Option<&'r mut Value> {
    match path.split_once('.') {
        None => raw.get_mut(path),
        Some((block, name)) => match raw.get_mut(block)? {
            Value::List(items) => match items.as_mut_slice() {
                [Value::Map(map)] => map.get_mut(name),
                _ => None,
            },
            _ => None,
        },
    }
}

fn is_sensitive(instance: &Instance<'_>, path: &str) -> bool {
    let first = path.split('.').next().unwrap_or(path);
    match &instance.sensitive {
        Sensitive::Tree(tree) => tree.and_then(|t| t.get(first)).is_some_and(has_true),
        Sensitive::Names(names) => names.contains(&first),
    }
}

fn has_true(node: &Node<'_>) -> bool {
    node.is_true() || node.list().iter().any(has_true) || node.map().iter().any(|(_, inner)| has_true(inner))
}

#[cfg(test)]
mod tests {
    use model::to_json;
    use serde_json::{Value as Json, json};

    use super::super::{Limits, Mapping, TypeSource, read};
    use super::*;

    const SECTION: &str = r#"
        resources = ["aws_iam_policy"]
        [map]
        policy = { to = "PolicyDocument", as = "json" }
    "#;

    const CONFIGURATION: &str = r#"
        locals {
          prefix = "shop-${var.stage}"
          tables = [aws_dynamodb_table.t.arn]
        }
        resource "aws_iam_policy" "p" {
          for_each = toset(["a"])
          description = "${var.secret} of ${aws_dynamodb_table.t.arn}"
          policy = jsonencode({
            Statement = [
              { Effect = "Allow", Action = "dynamodb:*", Resource = "${aws_dynamodb_table.t.arn}/index/*" },
              { Effect = "Allow", Action = "s3:*", Resource = local.tables, Sid = "${local.prefix}-${each.key}" },
              { Effect = "Allow", Action = data.aws_x.y.actions, Resource = aws_dynamodb_table.t.name },
            ]
          })
        }
    "#;

    fn policy(after_sensitive: &Json) -> Json {
        let change = |after: Json, unknown: Json, sensitive: &Json| json!({ "actions": ["create"], "after": after, "after_unknown": unknown, "after_sensitive": sensitive });
        let provider = "registry.terraform.io/hashicorp/aws";
        let plan = json!({
            "format_version": "1.2", "terraform_version": "1.11.4",
            "variables": { "stage": { "value": "prod" }, "secret": { "value": "hunter2" } },
            "resource_changes": [
                { "address": "aws_iam_policy.p[\"a\"]", "mode": "managed", "type": "aws_iam_policy", "name": "p", "index": "a", "provider_name": provider,
                  "change": change(json!({}), json!({ "policy": true, "description": true }), after_sensitive) },
                { "address": "aws_dynamodb_table.t", "mode": "managed", "type": "aws_dynamodb_table", "name": "t", "provider_name": provider,
                  "change": change(json!({ "name": "orders" }), json!({ "arn": true }), &json!({})) },
            ],
            "configuration": { "root_module": { "variables": { "stage": {}, "secret": { "sensitive": true } }, "resources": [
                { "address": "aws_iam_policy.p", "expressions": { "policy": { "references": ["aws_dynamodb_table.t.arn", "aws_dynamodb_table.t", "local.tables"] },
                  "description": { "references": ["var.secret", "aws_dynamodb_table.t.arn", "aws_dynamodb_table.t"] } } },
                { "address": "aws_dynamodb_table.t", "expressions": { "name": { "constant_value": "orders" } } },
            ] } },
        });
        let section = toml::from_str(SECTION).unwrap();
        let name = model::TypeName::new("AWS::IAM::ManagedPolicy").unwrap();
        let mapping = Mapping::new([TypeSource {
            name: &name,
            properties: vec![("PolicyDocument", "policy"), ("Description", "string")],
            section: &section,
        }]);
        let locate = |_: &_| {
            let mut sources = Sources::default();
            sources.add_text("main.tf", CONFIGURATION);
            sources
        };
        let snapshot = read(&plan.to_string(), "plan.json", &mapping, &Limits::default(), &locate);
        to_json(&Value::Map(snapshot.resources[0].props.clone()))
    }

    #[test]
    fn the_configuration_says_what_the_plan_does_not() {
        let link = json!({ "$link": "aws_dynamodb_table.t.Arn" });
        let props = policy(&json!({}));
        let expected = json!([
            { "Effect": "Allow", "Action": "dynamodb:*", "Resource": "${aws_dynamodb_table.t.Arn}/index/*" },
            { "Effect": "Allow", "Action": "s3:*", "Resource": [link], "Sid": "shop-prod-a" },
            { "Effect": "Allow", "Action": { "$unknown": "known only after apply: data.aws_x.y.actions" }, "Resource": "orders" },
        ]);
        assert_eq!(props["PolicyDocument"]["Statement"], expected);
        assert!(!props.to_string().contains("hunter2"), "{props}");
    }

    #[test]
    fn what_is_sensitive_stays_hidden() {
        let props = policy(&json!({ "policy": true }));
        assert!(props["PolicyDocument"].get("$unknown").is_some(), "{props}");
    }
}
