//! From a value to a compiled policy.

use model::{Map, Text, Value};

use super::*;
use crate::glob::{self, Piece, Syntax};
use crate::operator::Compare;

struct Reader {
    variables: bool,
    problems: Vec<Problem>,
}

const STATEMENT_KEYS: &[&str] =
    &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

pub(super) fn policy(document: &Value) -> Policy {
    let map = match document {
        Value::Map(map) => map,
        Value::Str(text) => return Policy::from_json(text),
        Value::Unknown(unknown) => {
            return Policy::unreadable(format!("{}: {}", unknown.reason.words(), unknown.what));
        }
        Value::Link(_) | Value::Mixed(_) => return Policy::unreadable("the document is made elsewhere"),
        _ => return Policy::unreadable("a policy is a JSON object"),
    };
    let mut reader = Reader { variables: false, problems: Vec::new() };
    reader.top(map);
    let statements = reader.statements(map.get("Statement"));
    let unreadable = match map.get("Statement") {
        Some(Value::Unknown(unknown)) => Some(Text::from(format!("{}: {}", unknown.reason.words(), unknown.what))),
        Some(Value::Link(_) | Value::Mixed(_) | Value::Str(_) | Value::Int(_) | Value::Dec(_) | Value::Bool(_)) => {
            Some(Text::from("the statements cannot be read"))
        }
        Some(Value::List(items)) if items.len() > STATEMENTS_MAX => {
            Some(Text::from(format!("more than {STATEMENTS_MAX} statements")))
        }
        _ => None,
    };
    Policy {
        variables: reader.variables,
        id: map.get("Id").and_then(Value::as_str).map(Text::from),
        statements,
        problems: reader.problems,
        unreadable,
    }
}

impl Reader {
    fn problem(&mut self, path: impl Into<String>, message: impl Into<String>, help: Option<&str>) {
        self.problems.push(Problem { path: path.into(), message: message.into(), help: help.map(str::to_owned) });
    }

    fn top(&mut self, map: &Map) {
        match map.get("Version") {
            Some(Value::Str(v)) if &**v == "2012-10-17" => self.variables = true,
            Some(Value::Str(v)) if &**v == "2008-10-17" => {}
            None => {}
            Some(Value::Str(v)) => {
                let message = format!("unknown version `{v}`");
                self.problem("Version", message, Some("write \"2012-10-17\""));
            }
            Some(_) => self.problem("Version", "the version is not a string", Some("write \"2012-10-17\"")),
        }
        for key in map.keys().filter(|k| !matches!(&***k, "Version" | "Id" | "Statement")) {
            self.problem(key.to_string(), format!("unknown element `{key}`"), None);
        }
        if map.get("Id").is_some_and(|id| matches!(id, Value::List(_) | Value::Map(_) | Value::Bool(_))) {
            self.problem("Id", "the id is not a string", None);
        }
    }

    fn statements(&mut self, value: Option<&Value>) -> Vec<Statement> {
        match value {
            Some(Value::List(items)) => {
                if items.is_empty() {
                    self.problem("Statement", "there are no statements", None);
                }
                if items.len() > STATEMENTS_MAX {
                    self.problem("Statement", format!("more than {STATEMENTS_MAX} statements"), None);
                }
                let read: Vec<Statement> = items
                    .iter()
                    .take(STATEMENTS_MAX)
                    .enumerate()
                    .map(|(i, item)| self.statement(i, &format!("Statement[{i}]"), item))
                    .collect();
                self.duplicate_sids(&read);
                read
            }
            Some(item @ Value::Map(_)) => vec![self.statement(0, "Statement", item)],
            None | Some(Value::Null) => {
                self.problem("Statement", "there are no statements", None);
                Vec::new()
            }
            Some(Value::Unknown(_) | Value::Link(_) | Value::Mixed(_)) => Vec::new(),
            Some(_) => {
                self.problem("Statement", "a statement is an object, or a list of objects", None);
                Vec::new()
            }
        }
    }

    fn duplicate_sids(&mut self, statements: &[Statement]) {
        let mut sids: Vec<(&str, usize)> = statements.iter().filter_map(|s| s.sid.as_deref().map(|sid| (sid, s.index))).collect();
        sids.sort_unstable();
        let mut again: Vec<(usize, String)> = sids
            .windows(2)
            .filter_map(|w| match w {
                [a, b] if a.0 == b.0 => Some((b.1, format!("the Sid `{}` is used twice", b.0))),
                _ => None,
            })
            .collect();
        again.sort_unstable();
        for (index, message) in again {
            self.problem(format!("Statement[{index}].Sid"), message, None);
        }
    }

    fn statement(&mut self, index: usize, path: &str, value: &Value) -> Statement {
        let mut out = Statement {
            index,
            sid: None,
            effect: Effect::Deny,
            unreadable: None,
            effect_unreadable: false,
            principal: None,
            actions: Actions::default(),
            resources: None,
            conditions: Vec::new(),
        };
        let Value::Map(map) = value else {
            let why = match value {
                Value::Unknown(unknown) => format!("{}: {}", unknown.reason.words(), unknown.what),
                _ => "a statement is not an object".to_owned(),
            };
            self.problem(path, why.clone(), None);
            out.unreadable = Some(why.into());
            out.effect_unreadable = true;
            out.actions.patterns.push(any_action());
            out.resources = Some(Resources { negated: false, patterns: vec![(ArnPattern::Any, Text::from("?"))] });
            out.principal = Some(Principals { negated: false, patterns: vec![PrincipalPattern::Hole(Text::from("?"))] });
            return out;
        };
        for key in map.keys().filter(|k| !STATEMENT_KEYS.contains(&&***k)) {
            self.problem(format!("{path}.{key}"), format!("unknown element `{key}`"), None);
            out.unreadable = Some(format!("unknown element `{key}`").into());
        }
        out.sid = match map.get("Sid") {
            Some(Value::Str(sid)) => Some(sid.clone()),
            Some(Value::Null) | None => None,
            Some(Value::Link(_) | Value::Mixed(_) | Value::Unknown(_) | Value::Int(_)) => None,
            Some(_) => {
                self.problem(format!("{path}.Sid"), "the Sid is not a string", None);
                None
            }
        };
        self.effect(path, map, &mut out);
        self.actions(path, map, &mut out);
        self.resources(path, map, &mut out);
        self.principals(path, map, &mut out);
        self.conditions(path, map.get("Condition"), &mut out);
        out
    }

    fn effect(&mut self, path: &str, map: &Map, out: &mut Statement) {
        match map.get("Effect") {
            Some(Value::Str(e)) if &**e == "Allow" => out.effect = Effect::Allow,
            Some(Value::Str(e)) if &**e == "Deny" => out.effect = Effect::Deny,
            other => {
                let message = match other {
                    Some(Value::Str(e)) => format!("unknown effect `{e}`"),
                    None => "the effect is missing".to_owned(),
                    Some(_) => "the effect is not a string".to_owned(),
                };
                self.problem(format!("{path}.Effect"), message.clone(), Some("write \"Allow\" or \"Deny\""));
                out.unreadable = Some(message.into());
                out.effect_unreadable = true;
            }
        }
    }

    /// The positive or the negated element, of which exactly one should be there.
    fn either<'a>(&mut self, path: &str, map: &'a Map, name: &str, out: &mut Statement) -> Option<(bool, String, &'a Value)> {
        let not = format!("Not{name}");
        match (map.get(name), map.get(&not)) {
            (Some(value), None) => Some((false, format!("{path}.{name}"), value)),
            (None, Some(value)) => Some((true, format!("{path}.{not}"), value)),
            (Some(value), Some(_)) => {
                self.problem(format!("{path}.{not}"), format!("both `{name}` and `{not}`"), None);
                out.unreadable = Some(format!("both `{name}` and `{not}`").into());
                Some((false, format!("{path}.{name}"), value))
            }
            (None, None) => None,
        }
    }

    /// The strings of an element that is a string or a list of strings, as pieces and as text.
    fn strings(&mut self, path: &str, value: &Value, syntax: Syntax, out: &mut Statement) -> Vec<(Vec<Piece>, Text)> {
        let (items, single) = match value {
            Value::List(items) => (items.as_slice(), false),
            other => (std::slice::from_ref(other), true),
        };
        if items.is_empty() {
            self.problem(path, "the list is empty", None);
        }
        let mut all = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            match text_pieces(item, syntax) {
                Some(read) => all.push(read),
                None => {
                    let at = if single { path.to_owned() } else { format!("{path}[{i}]") };
                    self.problem(at.clone(), "not a string", None);
                    out.unreadable = Some(format!("`{at}` is not a string").into());
                    all.push((vec![Piece::Hole], Text::from("?")));
                }
            }
        }
        all
    }

    fn actions(&mut self, path: &str, map: &Map, out: &mut Statement) {
        let Some((negated, at, value)) = self.either(path, map, "Action", out) else {
            self.problem(path, "neither `Action` nor `NotAction`", None);
            out.unreadable = Some("there is no `Action`".into());
            out.actions.patterns.push(any_action());
            return;
        };
        let syntax = Syntax { wildcards: true, variables: false };
        let mut patterns = Vec::new();
        for (i, (pieces, text)) in self.strings(&at, value, syntax, out).into_iter().enumerate() {
            let mut parts = glob::split_colons(pieces, 2).into_iter().map(Matcher::new);
            let (service, name) = match (parts.next(), parts.next()) {
                (Some(service), Some(name)) => (service.lower(), name.lower()),
                (Some(Matcher::Any), None) => (Matcher::Any, Matcher::Any),
                (Some(whole), None) if whole.has_hole() => (Matcher::new(vec![Piece::Hole]), Matcher::new(vec![Piece::Hole])),
                _ => {
                    let help = "write `service:Action`, or `*` for every action";
                    self.problem(item_path(&at, value, i), format!("`{text}` names no service"), Some(help));
                    continue;
                }
            };
            patterns.push(ActionPattern { service, name, text });
        }
        out.actions = Actions { negated, patterns };
    }

    fn resources(&mut self, path: &str, map: &Map, out: &mut Statement) {
        let Some((negated, at, value)) = self.either(path, map, "Resource", out) else { return };
        let syntax = Syntax { wildcards: true, variables: self.variables };
        let mut patterns = Vec::new();
        for (i, (pieces, text)) in self.strings(&at, value, syntax, out).into_iter().enumerate() {
            let pattern = ArnPattern::resource(pieces);
            if pattern.is_malformed() {
                let help = "write an ARN with six fields, or `*`";
                self.problem(item_path(&at, value, i), format!("`{text}` is not an ARN"), Some(help));
            }
            patterns.push((pattern, text));
        }
        out.resources = Some(Resources { negated, patterns });
    }

    fn principals(&mut self, path: &str, map: &Map, out: &mut Statement) {
        let Some((negated, at, value)) = self.either(path, map, "Principal", out) else { return };
        let syntax = Syntax { wildcards: false, variables: false };
        let mut patterns = Vec::new();
        match value {
            Value::Str(text) if &**text == "*" => patterns.push(PrincipalPattern::Everyone),
            Value::Str(text) => {
                let what = format!("the principal `{text}` does not say of which kind it is");
                self.problem(at, what, Some("write {\"AWS\": \"...\"}"));
                patterns.push(principal("AWS", text));
            }
            Value::Map(kinds) => {
                for (kind, names) in kinds.iter() {
                    let at = format!("{at}.{kind}");
                    if !matches!(&**kind, "AWS" | "Service" | "Federated" | "CanonicalUser") {
                        self.problem(at.clone(), format!("unknown kind of principal `{kind}`"), None);
                        out.unreadable = Some(format!("unknown kind of principal `{kind}`").into());
                    }
                    for (i, (pieces, text)) in self.strings(&at, names, syntax, out).into_iter().enumerate() {
                        if pieces.contains(&Piece::Hole) {
                            let named = matches!(pieces.first(), Some(Piece::Text(_))) || is_link(names, i);
                            patterns.push(if named { PrincipalPattern::Named(text) } else { PrincipalPattern::Hole(text) });
                            continue;
                        }
                        let pattern = principal(kind, &text);
                        if let PrincipalPattern::Placeholder { text, .. } = &pattern {
                            let what = format!("`{text}` holds a placeholder");
                            self.problem(item_path(&at, names, i), what, Some("write the value"));
                        }
                        if let PrincipalPattern::Arn(arn) = &pattern
                            && (arn.contains('*') || !arn.starts_with("arn:"))
                        {
                            let help = "name a whole ARN or an account, or use `*` with a condition on aws:PrincipalArn";
                            let what = format!("`{arn}` cannot match: a principal has no wildcards");
                            self.problem(item_path(&at, names, i), what, Some(help));
                        }
                        patterns.push(pattern);
                    }
                }
            }
            other => {
                let message = match other {
                    Value::Unknown(unknown) => format!("{}: {}", unknown.reason.words(), unknown.what),
                    Value::Link(_) | Value::Mixed(_) => "the principal is made elsewhere".to_owned(),
                    _ => "a principal is `*` or an object such as {\"AWS\": \"...\"}".to_owned(),
                };
                self.problem(at, message.clone(), None);
                patterns.push(PrincipalPattern::Hole(message.as_str().into()));
                out.unreadable = Some(message.into());
            }
        }
        out.principal = Some(Principals { negated, patterns });
    }

    fn conditions(&mut self, path: &str, value: Option<&Value>, out: &mut Statement) {
        let path = format!("{path}.Condition");
        let block = match value {
            None | Some(Value::Null) => return,
            Some(Value::Map(block)) => block,
            Some(_) => {
                self.problem(path, "a condition is an object", None);
                out.unreadable = Some("the condition cannot be read".into());
                return;
            }
        };
        for (name, keys) in block.iter() {
            let at = format!("{path}.{name}");
            let Some(operator) = Operator::parse(name) else {
                self.problem(at, format!("unknown condition operator `{name}`"), None);
                out.unreadable = Some(format!("unknown condition operator `{name}`").into());
                continue;
            };
            let Value::Map(keys) = keys else {
                self.problem(at, "not an object of condition keys", None);
                out.unreadable = Some("the condition cannot be read".into());
                continue;
            };
            for (key, values) in keys.iter() {
                let at = format!("{at}.{key}");
                out.conditions.push(self.clause(&at, operator, (name, key), values));
            }
        }
    }

    fn clause(&mut self, path: &str, operator: Operator, names: (&Text, &Text), values: &Value) -> Clause {
        let items = match values {
            Value::List(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        if items.is_empty() {
            self.problem(path, "the list is empty", None);
        }
        let mut operands = Vec::with_capacity(items.len());
        let mut texts = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let (operand, text) = self.operand(operator.compare, item);
            if operand.is_malformed() {
                let what = format!("`{text}` is not a value for `{}`", names.0);
                self.problem(item_path(path, values, i), what, None);
            }
            operands.push(operand);
            texts.push(text);
        }
        let (operator_text, key_text) = (names.0.clone(), names.1.clone());
        Clause { operator, key: key_text.to_ascii_lowercase().into(), key_text, operator_text, operands, texts }
    }

    fn operand(&self, compare: Compare, item: &Value) -> (Operand, Text) {
        let plain = match item {
            Value::Str(text) => text.clone(),
            Value::Bool(b) => Text::from(if *b { "true" } else { "false" }),
            Value::Int(n) => Text::from(n.to_string()),
            Value::Dec(d) => Text::from(d.to_string()),
            Value::Mixed(_) => {
                let wildcards = matches!(compare, Compare::StringLike | Compare::ArnLike);
                let syntax = Syntax { wildcards, variables: self.variables };
                return match (text_pieces(item, syntax), compare) {
                    (Some((pieces, text)), Compare::ArnLike) => (Operand::Arn(ArnPattern::new(pieces)), text),
                    (Some((pieces, text)), Compare::StringEquals | Compare::StringLike) => {
                        (Operand::Text(Matcher::new(pieces)), text)
                    }
                    (read, _) => (Operand::Hole, read.map_or_else(|| Text::from("?"), |(_, text)| text)),
                };
            }
            other => return (Operand::Hole, Text::from(model::to_json(other).to_string())),
        };
        (Operand::new(compare, &plain, self.variables), plain)
    }
}

/// Stands for actions that cannot be read.
fn any_action() -> ActionPattern {
    let hole = || Matcher::new(vec![Piece::Hole]);
    ActionPattern { service: hole(), name: hole(), text: Text::from("?") }
}

/// `path`, or `path[i]` if the value there is a list.
fn item_path(path: &str, value: &Value, i: usize) -> String {
    if matches!(value, Value::List(_)) { format!("{path}[{i}]") } else { path.to_owned() }
}

/// True if item `i` (or the value itself) is a link, so it names one thing of the same template.
fn is_link(value: &Value, i: usize) -> bool {
    match value {
        Value::List(items) => items.get(i).is_some_and(|item| item.as_link().is_some()),
        other => other.as_link().is_some(),
    }
}

fn principal(kind: &str, text: &Text) -> PrincipalPattern {
    match kind {
        "AWS" if &**text == "*" => PrincipalPattern::Everyone,
        "AWS" | "Federated" if text.starts_with("arn:") && text.contains('<') => placeholder(text),
        "AWS" => match account(text) {
            Some(account) => PrincipalPattern::Account(account),
            None => PrincipalPattern::Arn(text.clone()),
        },
        "Service" => PrincipalPattern::Service(text.clone()),
        "Federated" => PrincipalPattern::Federated(text.clone()),
        _ => PrincipalPattern::Other(text.clone()),
    }
}

/// An ARN of which a field is a placeholder in angle brackets.
fn placeholder(text: &Text) -> PrincipalPattern {
    let fields: Vec<&str> = text.splitn(6, ':').map(|f| if f.starts_with('<') && f.ends_with('>') { "*" } else { f }).collect();
    let open = fields.join(":");
    if open == **text {
        return PrincipalPattern::Arn(text.clone());
    }
    let pattern = ArnPattern::parse(&open, false);
    PrincipalPattern::Placeholder { pattern, text: text.clone(), reading: Truth::Unknown }
}

/// The account of `123456789012` and of `arn:aws:iam::123456789012:root`.
pub(crate) fn account(text: &str) -> Option<Text> {
    use crate::unknown_name::is_account;
    if is_account(text) {
        return Some(Text::from(text));
    }
    let parts = crate::arn::Parts::new(text);
    let root = parts.field(2) == "iam" && parts.field(5) == "root" && is_account(parts.field(4));
    root.then(|| Text::from(parts.field(4)))
}

/// The pieces and the readable form of text that may hold links and unknowns; `None` if it is no text at all.
fn text_pieces(value: &Value, syntax: Syntax) -> Option<(Vec<Piece>, Text)> {
    match value {
        Value::Str(text) => Some((glob::pieces(text, syntax), text.clone())),
        Value::Link(_) | Value::Unknown(_) => {
            let mixed = Value::Mixed(vec![value.clone()]);
            Some((vec![Piece::Hole], Text::from(model::to_json(&mixed).as_str().unwrap_or("?"))))
        }
        Value::Mixed(parts) => {
            let pieces = parts
                .iter()
                .flat_map(|part| match part {
                    Value::Str(text) => glob::pieces(text, syntax),
                    Value::Int(n) => glob::pieces(&n.to_string(), syntax),
                    _ => vec![Piece::Hole],
                })
                .collect();
            Some((pieces, Text::from(model::to_json(value).as_str().unwrap_or("?"))))
        }
        Value::Int(n) => Some((glob::pieces(&n.to_string(), syntax), Text::from(n.to_string()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_another_kind_are_unreadable() {
        for statement in ["7", "7.5", "true", "\"x\""] {
            let policy = Policy::from_json(&format!(r#"{{"Statement":{statement}}}"#));
            assert!(policy.unreadable.is_some() && !policy.problems.is_empty(), "{statement}");
        }
    }
}
