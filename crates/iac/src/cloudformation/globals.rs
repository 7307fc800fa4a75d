//! SAM's `Globals`: properties that every serverless resource of a type has.
//!
//! A resource's own value wins over a plain global one, mappings are merged, and lists are joined, the global items first (but not those of architectures).
//! `IgnoreGlobals` on a resource leaves out some or all. Source: the SAM specification's page on globals.

use model::{Map, Path, Resource, Span, SpanTable, Text, Value};
use syntax::Node;

use super::evaluate::{Evaluator, Place};

const PREFIX: &str = "AWS::Serverless::";

/// The evaluated `Globals`, by the last part of the type.
pub(crate) struct Globals {
    values: Map,
    spans: SpanTable,
}

impl Globals {
    /// `None` if the template has none.
    pub(crate) fn new(evaluator: &Evaluator<'_, '_>) -> Option<Globals> {
        let node = evaluator.template.globals?;
        let mut spans = SpanTable::default();
        let values = match evaluator.value(node, Place::new(&mut spans)) {
            Some(Value::Map(values)) => values,
            _ => {
                evaluator.malformed("`Globals`", "must be a mapping", node.span);
                return None;
            }
        };
        spans.finish();
        Some(Globals { values, spans })
    }

    /// Puts into a resource what holds for all of its type.
    /// `node` is the resource as written, for one that is.
    pub(crate) fn apply(&self, node: Option<&Node>, resource: &mut Resource) {
        let Some(kind) = resource.type_name.as_str().strip_prefix(PREFIX) else { return };
        let Some(Value::Map(global)) = self.values.get(kind) else { return };
        let ignored = node.and_then(|node| node.get("IgnoreGlobals"));
        let kept = global.iter().filter(|(key, _)| !ignored.is_some_and(|node| ignores(node, key)));
        let global: Map = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
        let own = std::mem::take(&mut resource.props);
        let mut merge = Merge { own: &resource.spans, global: &self.spans, out: SpanTable::default() };
        let from = Path::ROOT.key(kind);
        resource.props = merge.maps(own, &global, Places { own: Path::ROOT, global: from, out: Path::ROOT });
        merge.out.finish();
        resource.spans = merge.out;
    }
}

fn ignores(node: &Node, key: &str) -> bool {
    let names = |text: Option<&Text>| text.is_some_and(|t| &**t == "*" || &**t == key);
    match node.as_seq() {
        Some(items) => items.iter().any(|n| names(n.text())),
        None => names(node.text()),
    }
}

/// Lists that are not joined: the resource's own stands for itself.
pub(crate) const REPLACED: &[&str] = &["Architectures"];

/// Where the same thing is in the resource, in the globals, and in the result.
#[derive(Clone, Copy)]
struct Places {
    own: Path,
    global: Path,
    out: Path,
}

impl Places {
    fn key(self, key: &str) -> Places {
        Places { own: self.own.key(key), global: self.global.key(key), out: self.out.key(key) }
    }
}

struct Merge<'a> {
    own: &'a SpanTable,
    global: &'a SpanTable,
    out: SpanTable,
}

impl Merge<'_> {
    fn maps(&mut self, own: Map, global: &Map, at: Places) -> Map {
        let mut all = Vec::with_capacity(own.len() + global.len());
        for (key, value) in global.iter().filter(|(key, _)| !own.contains_key(key)) {
            let at = at.key(key);
            copy(value, (self.global, at.global), at.out, &mut self.out);
            all.push((key.clone(), value.clone()));
        }
        for (key, value) in own {
            let at = at.key(&key);
            let merged = match global.get(&key) {
                Some(global) if !REPLACED.contains(&&*key) => self.values(value, global, at),
                _ => {
                    copy(&value, (self.own, at.own), at.out, &mut self.out);
                    value
                }
            };
            all.push((key, merged));
        }
        all.into_iter().collect()
    }

    fn values(&mut self, own: Value, global: &Value, at: Places) -> Value {
        self.wrote(self.own.get(at.own), at.out);
        match (own, global) {
            (Value::Map(own), Value::Map(global)) => Value::Map(self.maps(own, global, at)),
            (Value::List(own), Value::List(global)) => {
                let mut all = global.clone();
                for (index, item) in global.iter().enumerate() {
                    copy(item, (self.global, at.global.item(index)), at.out.item(index), &mut self.out);
                }
                for (index, item) in own.into_iter().enumerate() {
                    copy(&item, (self.own, at.own.item(index)), at.out.item(all.len()), &mut self.out);
                    all.push(item);
                }
                Value::List(all)
            }
            (own, _) => {
                copy(&own, (self.own, at.own), at.out, &mut self.out);
                own
            }
        }
    }

    fn wrote(&mut self, span: Option<Span>, at: Path) {
        if let Some(span) = span {
            self.out.insert(at, span);
        }
    }
}

/// Copies the places of a value and of all in it.
fn copy(value: &Value, from: (&SpanTable, Path), to: Path, out: &mut SpanTable) {
    let (table, path) = from;
    if let Some(span) = table.get(path) {
        out.insert(to, span);
    }
    match value {
        Value::Map(map) => map.iter().for_each(|(key, value)| copy(value, (table, path.key(key)), to.key(key), out)),
        Value::List(items) => {
            items.iter().enumerate().for_each(|(at, value)| copy(value, (table, path.item(at)), to.item(at), out));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::Limits;
    use crate::cloudformation::{Parameters, read};

    #[test]
    fn globals_are_merged_with_their_places() {
        let text = "\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 3
    Runtime: python3.13
    Layers: [a]
    Architectures: [arm64]
    Environment:
      Variables: {A: 1, B: 2}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 9
      Layers: [b]
      Architectures: [x86_64]
      Environment:
        Variables: {B: 3}
  G:
    Type: AWS::Serverless::Function
    IgnoreGlobals: [Layers, Environment, Runtime, Architectures]
  H: {Type: AWS::Serverless::Function, IgnoreGlobals: '*'}
  Q: {Type: AWS::SQS::Queue}
";
        let snapshot = read(text, "t.yaml", &Parameters::default(), &Limits::default(), &|_, _| None);
        let props: Vec<String> = snapshot
            .resources
            .iter()
            .filter(|r| !r.id.ends_with("Role"))
            .map(|r| {
                let written = r.props.iter().filter(|(key, _)| !matches!(&***key, "Role" | "Tags"));
                written.map(|(k, v)| format!("{k}={}", model::to_json(v))).collect::<Vec<_>>().join(" ")
            })
            .collect();
        let first =
            r#"Architectures=["x86_64"] Environment={"Variables":{"A":1,"B":3}} Layers=["a","b"] Runtime="python3.13" Timeout=9"#;
        assert_eq!(props, [first, "Timeout=3", "", ""]);
        let line = |path: &str| snapshot.resources[0].place(path).map(|s| s.line);
        assert_eq!(line("Timeout"), Some(14));
        assert_eq!(line("Runtime"), Some(5));
        assert_eq!((line("Layers[0]"), line("Layers[1]")), (Some(6), Some(15)));
        assert_eq!((line("Environment.Variables.A"), line("Environment.Variables.B")), (Some(9), Some(18)));
    }
}
