//! The evaluation against a second one: slow, obvious, on plain JSON, written down from AWS's flow chart and sharing no code.

#![expect(clippy::indexing_slicing, reason = "indexing JSON gives null where there is nothing")]

use std::collections::BTreeMap;

use iam::case::{Validate, eval_case};
use serde_json::{Value as Json, json};

/// Matching by trying everything.
fn glob(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|n| glob(rest, text.get(n..).unwrap_or_default())),
        Some((c, rest)) => text.split_first().is_some_and(|(t, tail)| (*c == '?' || c == t) && glob(rest, tail)),
    }
}

fn like(pattern: &str, text: &str) -> bool {
    glob(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

fn arn_like(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let (p, a): (Vec<&str>, Vec<&str>) = (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    p.len() == 6 && a.len() == 6 && p.iter().zip(&a).all(|(p, a)| like(p, a))
}

fn strings(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items.iter().flat_map(strings).collect(),
        Json::String(text) => vec![text.clone()],
        Json::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}

struct World {
    principal: String,
    account: String,
    action: String,
    resource: String,
    bounded: bool,
    resource_account: String,
    context: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Named {
    No,
    Account,
    Role,
    Itself,
}

impl World {
    fn names(&self, principal: &Json) -> Named {
        let mut best = Named::No;
        let entries: Vec<(String, String)> = match principal {
            Json::String(text) => vec![("AWS".to_owned(), text.clone())],
            Json::Object(map) => map.iter().flat_map(|(k, v)| strings(v).into_iter().map(move |s| (k.clone(), s))).collect(),
            _ => Vec::new(),
        };
        for (kind, name) in entries {
            let role = self.principal.split("assumed-role/").nth(1).and_then(|r| r.split('/').next());
            let found = if kind == "AWS" && name == "*" || name == self.principal {
                Named::Itself
            } else if kind == "AWS" && role.is_some_and(|r| name == format!("arn:aws:iam::{}:role/{r}", self.account)) {
                Named::Role
            } else if kind == "AWS"
                && !self.account.is_empty()
                && (name == self.account || name == format!("arn:aws:iam::{}:root", self.account))
            {
                Named::Account
            } else {
                Named::No
            };
            best = match (best, found) {
                (Named::Itself, _) | (_, Named::Itself) => Named::Itself,
                (Named::Role, _) | (_, Named::Role) => Named::Role,
                (Named::Account, _) | (_, Named::Account) => Named::Account,
                _ => Named::No,
            };
        }
        best
    }

    fn condition(&self, operator: &str, key: &str, wanted: &Json) -> bool {
        let have = self.context.get(&key.to_lowercase());
        let wanted = strings(wanted);
        if operator == "Null" {
            return wanted.iter().any(|w| (w == "true") == have.is_none());
        }
        let (set, base) = operator.split_once(':').unwrap_or(("", operator));
        let (base, if_exists) = base.strip_suffix("IfExists").map_or((base, false), |b| (b, true));
        let negated = base.contains("Not");
        let one = |value: &String| -> bool {
            let any = wanted.iter().any(|w| match base.replace("Not", "").as_str() {
                "StringEquals" => w == value,
                "StringLike" => like(w, value),
                "ArnLike" => arn_like(w, value),
                "Bool" => w == value,
                "NumericLessThan" => value.parse::<f64>().is_ok_and(|v| v < w.parse::<f64>().unwrap_or(f64::NAN)),
                other => unreachable!("{other}"),
            });
            // What is no ARN is neither like one nor unlike one.
            any != negated && (base != "ArnNotLike" || value.matches(':').count() >= 5)
        };
        match (have, set) {
            (None, _) if if_exists => true,
            (None, "ForAllValues") => true,
            (None, "ForAnyValue") => false,
            (None, _) => negated,
            (Some(values), "ForAllValues") => values.iter().all(one),
            (Some(values), "ForAnyValue") => values.iter().any(one),
            // `k:c` is the multi-valued key.
            (Some(values), _) => key != "k:c" && values.iter().all(one),
        }
    }

    fn applies(&self, statement: &Json, by_resource: bool) -> Named {
        let actions = |name: &str| strings(&statement[name]).iter().any(|p| like(&p.to_lowercase(), &self.action.to_lowercase()));
        let action = if statement["Action"].is_null() { !actions("NotAction") } else { actions("Action") };
        let resources = |name: &str| strings(&statement[name]).iter().any(|p| arn_like(p, &self.resource));
        let resource = if statement["Resource"].is_null() { !resources("NotResource") } else { resources("Resource") };
        let conditions = statement["Condition"].as_object().into_iter().flatten().all(|(operator, keys)| {
            keys.as_object().into_iter().flatten().all(|(key, wanted)| self.condition(operator, key, wanted))
        });
        let named = match (by_resource, statement["NotPrincipal"].is_null()) {
            (false, _) => Named::Itself,
            (true, true) => self.names(&statement["Principal"]),
            (true, false) if self.bounded && statement["Effect"] == "Deny" => Named::Itself,
            (true, false) if self.names(&statement["NotPrincipal"]) == Named::No => Named::Itself,
            (true, false) => Named::No,
        };
        if action && resource && conditions { named } else { Named::No }
    }

    /// (the ways in which something is allowed, whether something is denied)
    fn layer(&self, policies: &[&Json], by_resource: bool) -> (Vec<Named>, bool) {
        let (mut allows, mut denies) = (Vec::new(), false);
        for statement in policies.iter().flat_map(|p| p["Statement"].as_array().into_iter().flatten()) {
            let named = self.applies(statement, by_resource);
            if named != Named::No {
                if statement["Effect"] == "Allow" { allows.push(named) } else { denies = true }
            }
        }
        (allows, denies)
    }

    fn decide(&self, policies: &Json) -> &'static str {
        let list = |name: &str| -> Vec<&Json> { policies[name].as_array().into_iter().flatten().collect() };
        let one = |name: &str| -> Vec<&Json> { Some(&policies[name]).filter(|p| !p.is_null()).into_iter().collect() };
        let identity = self.layer(&list("identity"), false);
        let resource = self.layer(&one("resource"), true);
        let session = self.layer(&one("session"), false);
        let boundaries: Vec<_> = list("boundary").into_iter().map(|b| self.layer(&[b], false)).collect();
        let levels = |name: &str, by: bool| -> Vec<(Vec<Named>, bool)> {
            let policies = |level: &&Json| -> Vec<Json> { level["policies"].as_array().cloned().unwrap_or_default() };
            list(name).iter().map(|l| self.layer(&policies(l).iter().collect::<Vec<_>>(), by)).collect()
        };
        let (scp, rcp) = (levels("scp", false), levels("rcp", true));
        let endpoint = self.layer(&list("vpc_endpoint"), true);
        let anonymous = self.account.is_empty();
        let mut denied = resource.1 || endpoint.1 || rcp.iter().any(|l| l.1);
        if !anonymous {
            denied |= identity.1 || session.1 || boundaries.iter().any(|b| b.1) || scp.iter().any(|l| l.1);
        }
        if denied {
            return "ExplicitlyDenied";
        }
        let gate = list("vpc_endpoint").is_empty() || !endpoint.0.is_empty();
        let organisation = anonymous || scp.iter().all(|l| !l.0.is_empty());
        let limits = (policies["session"].is_null() || !session.0.is_empty()) && boundaries.iter().all(|b| !b.0.is_empty());
        let own = !identity.0.is_empty() && limits;
        let allowed = if anonymous {
            resource.0.contains(&Named::Itself)
        } else if self.account == self.resource_account {
            resource.0.contains(&Named::Itself) || resource.0.contains(&Named::Role) && limits || own
        } else {
            !resource.0.is_empty() && own
        };
        if gate && organisation && allowed { "Allowed" } else { "ImplicitlyDenied" }
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick(&mut self, from: &[&str]) -> Json {
        let at = self.roll(from.len());
        let text = from.get(at).copied().unwrap_or_default();
        serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))
    }

    fn statement(&mut self, by_resource: bool) -> Json {
        let not = |dice: &mut Dice, name: &str| if dice.roll(6) == 0 { format!("Not{name}") } else { name.to_owned() };
        let mut out = json!({ "Effect": if self.roll(5) == 0 { "Deny" } else { "Allow" } });
        let action = not(self, "Action");
        out[action] =
            self.pick(&["*", "s3:*", "s3:get*", "s3:GetObject", "sqs:*", "s3:?etObject", r#"["s3:Put*","s3:GetObject"]"#]);
        let resource = not(self, "Resource");
        out[resource] =
            self.pick(&["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::*", "arn:*:s3:::b*/?", "arn:aws:sqs:*:*:q"]);
        if by_resource {
            let principal = not(self, "Principal");
            out[principal] = self.pick(&[
                "*",
                r#"{"AWS":"*"}"#,
                r#"{"AWS":"111122223333"}"#,
                r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
                r#"{"AWS":"arn:aws:iam::111122223333:user/u"}"#,
                r#"{"AWS":"arn:aws:iam::111122223333:role/r"}"#,
                r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}"#,
                r#"{"AWS":["444455556666"]}"#,
            ]);
        }
        if self.roll(2) == 0 {
            out["Condition"] = self.pick(&[
                r#"{"StringEquals":{"k:a":"1"}}"#,
                r#"{"StringNotEquals":{"k:a":["1","2"]}}"#,
                r#"{"StringLike":{"K:A":"1*"}}"#,
                r#"{"StringEqualsIfExists":{"k:a":"1"},"Bool":{"k:b":"true"}}"#,
                r#"{"Null":{"k:b":"true"}}"#,
                r#"{"Null":{"k:b":"false"}}"#,
                r#"{"ForAllValues:StringEquals":{"k:c":["1","2"]}}"#,
                r#"{"ForAnyValue:StringLike":{"k:c":["2*","3"]}}"#,
                r#"{"ForAnyValue:StringNotEquals":{"k:c":["1","2"]}}"#,
                r#"{"ForAllValues:StringNotLike":{"k:c":["1*"]}}"#,
                r#"{"NumericLessThan":{"k:a":"2"}}"#,
                r#"{"ArnNotLike":{"k:d":"arn:aws:s3:::x*"}}"#,
                r#"{"ArnLike":{"k:d":"arn:aws:s3:::x*"}}"#,
                r#"{"StringEquals":{"k:c":"1"}}"#,
            ]);
        }
        out
    }

    fn policy(&mut self, by_resource: bool) -> Json {
        let n = 1 + self.roll(3);
        json!({ "Version": "2012-10-17", "Statement": (0..n).map(|_| self.statement(by_resource)).collect::<Vec<_>>() })
    }

    fn policies(&mut self) -> Json {
        let mut out = json!({ "identity": [self.policy(false)] });
        if self.roll(2) == 0 {
            out["resource"] = self.policy(true);
        }
        if self.roll(4) == 0 {
            out["session"] = self.policy(false);
        }
        if self.roll(4) == 0 {
            out["boundary"] = json!([self.policy(false)]);
        }
        if self.roll(4) == 0 {
            out["scp"] = json!([{ "node": "r", "policies": [self.policy(false), self.policy(false)] }]);
        }
        if self.roll(4) == 0 {
            out["rcp"] = json!([{ "node": "r", "policies": [self.policy(true)] }]);
        }
        if self.roll(6) == 0 {
            out["vpc_endpoint"] = json!([self.policy(true)]);
        }
        out
    }
}

#[test]
fn both_say_the_same() {
    let mut dice = Dice(3);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..6_000 {
        let principal = dice.pick(&[
            "arn:aws:iam::111122223333:user/u",
            "arn:aws:iam::111122223333:user/v",
            "arn:aws:sts::111122223333:assumed-role/r/s",
            "arn:aws:sts::111122223333:assumed-role/q/s",
            "*",
        ]);
        let principal = principal.as_str().unwrap_or_default().to_owned();
        let mut context = json!({});
        for (key, values) in
            [("k:a", ["1", "12", "3"]), ("k:b", ["true", "false", "true"]), ("k:d", ["arn:aws:s3:::x1", "arn:aws:s3:::y", "x"])]
        {
            if dice.roll(2) == 0 {
                context[key] = dice.pick(&values.map(|v| v)).as_str().map_or_else(|| Json::from(values[0]), Json::from);
            }
        }
        if dice.roll(2) == 0 {
            context["k:c"] = dice.pick(&[r#"["1","2"]"#, r#"["1"]"#, r#"["3","1"]"#, r#"["4","5"]"#]);
        }
        let account = if principal == "*" { "" } else { "111122223333" };
        let resource_account = dice.pick(&["\"111122223333\"", "\"444455556666\""]);
        let resource = dice.pick(&["arn:aws:s3:::b/k", "arn:aws:s3:::b/kk", "arn:aws:sqs:eu-west-1:111122223333:q"]);
        let action = dice.pick(&["s3:GetObject", "s3:PutObject", "sqs:SendMessage"]);
        let policies = dice.policies();
        let world = World {
            principal: principal.clone(),
            account: account.to_owned(),
            action: action.as_str().unwrap_or_default().to_owned(),
            resource: resource.as_str().unwrap_or_default().to_owned(),
            resource_account: resource_account.as_str().unwrap_or_default().to_owned(),
            bounded: !policies["boundary"].is_null(),
            context: context.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), strings(v))).collect(),
        };
        let case = json!({
            "request": { "principal": principal, "action": action, "resource": resource, "resource_account": resource_account, "context": context },
            "policies": policies,
        });
        let want = world.decide(&policies);
        let got = eval_case(&case.to_string(), Validate::No);
        assert_eq!(got["decision"], want, "{case}\n{got}");
        *seen.entry(want).or_default() += 1;
    }
    assert!(seen.values().all(|n| *n > 300) && seen.len() == 3, "{seen:?}");
}
