//! The graph of escalation as a drawing: in DOT, for Graphviz, and as an SVG that a page can hold.
//!
//! Only who can become admin is drawn, each with the shortest way there. Admins stand on the right; to their left, column by
//! column, those who are one, two, three steps away.

use std::collections::BTreeMap;
use std::fmt::Write;

use model::Truth;

use super::Graph;
use crate::account::Account;

/// Most principals that are drawn.
pub const DRAWN_MAX: usize = 300;

/// A drawing of one or more accounts.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    left_out: usize,
}

#[derive(Clone, Debug)]
struct Node {
    label: String,
    admin: bool,
    /// Steps to admin.
    away: usize,
}

#[derive(Clone, Debug)]
struct Edge {
    from: usize,
    to: usize,
    way: String,
    certain: bool,
}

impl Drawing {
    /// Adds the graph of an account.
    pub fn add(&mut self, account: &Account, graph: &Graph) {
        let mut placed: BTreeMap<usize, usize> = BTreeMap::new();
        let mut own_admin: Option<usize> = None;
        for from in 0..account.principals.len() {
            let Some(path) = graph.path(from) else { continue };
            if self.nodes.len() + path.steps.len() + 1 > DRAWN_MAX {
                self.left_out += 1;
                continue;
            }
            let length = path.steps.len();
            for (n, step) in path.steps.iter().enumerate() {
                let from = self.place(account, graph, step.from, length - n, &mut placed);
                let to = if step.to == step.from {
                    *own_admin.get_or_insert_with(|| {
                        self.nodes.push(Node { label: "every permission".to_owned(), admin: true, away: 0 });
                        self.nodes.len() - 1
                    })
                } else {
                    self.place(account, graph, step.to, length - n - 1, &mut placed)
                };
                if !self.edges.iter().any(|e| e.from == from && e.to == to) {
                    self.edges.push(Edge { from, to, way: step.way.clone(), certain: step.conditions.is_empty() });
                }
            }
        }
    }

    fn place(&mut self, account: &Account, graph: &Graph, at: usize, away: usize, placed: &mut BTreeMap<usize, usize>) -> usize {
        *placed.entry(at).or_insert_with(|| {
            let label = account.principals.get(at).map_or("?", |p| &*p.label).to_owned();
            self.nodes.push(Node { label, admin: graph.admin.get(at) == Some(&Truth::True), away });
            self.nodes.len() - 1
        })
    }

    /// True if nobody can become admin.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// In DOT.
    pub fn dot(&self) -> String {
        let mut out = String::from("digraph escalation {\n  rankdir=LR;\n");
        for (i, node) in self.nodes.iter().enumerate() {
            let shape = if node.admin { "doubleoctagon" } else { "box" };
            let _ = writeln!(out, "  n{i} [label={}, shape={shape}];", quoted(&node.label));
        }
        for edge in &self.edges {
            let style = if edge.certain { "solid" } else { "dashed" };
            let _ = writeln!(out, "  n{} -> n{} [label={}, style={style}];", edge.from, edge.to, quoted(&edge.way));
        }
        if let Some(words) = self.left_out() {
            let _ = writeln!(out, "  label={};", quoted(&words));
        }
        out.push_str("}\n");
        out
    }

    /// As an SVG element without anything that a content security policy would stop.
    pub fn svg(&self) -> String {
        const WIDTH: usize = 200;
        const HEIGHT: usize = 28;
        const GAP: usize = 120;
        const ROW: usize = 44;
        let furthest = self.nodes.iter().map(|n| n.away).max().unwrap_or(0);
        let mut rows = vec![0; furthest + 1];
        let spots: Vec<(usize, usize)> = self
            .nodes
            .iter()
            .map(|node| {
                let row = rows.get_mut(node.away).map_or(0, |r| std::mem::replace(r, *r + 1));
                (20 + (furthest - node.away) * (WIDTH + GAP), 20 + row * ROW)
            })
            .collect();
        let tallest = rows.iter().copied().max().unwrap_or(0);
        let (wide, high) = (40 + (furthest + 1) * WIDTH + furthest * GAP, 50 + tallest * ROW);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"who can become administrator\" \
             width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\" font-family=\"system-ui,sans-serif\" font-size=\"12\">\n\
             <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
             <path d=\"M0 0L8 4L0 8z\" fill=\"#57606a\"/></marker></defs>\n"
        );
        for edge in &self.edges {
            let (Some((x1, y1)), Some((x2, y2))) = (spots.get(edge.from), spots.get(edge.to)) else { continue };
            let (x1, y1, x2, y2) = (x1 + WIDTH, y1 + HEIGHT / 2, *x2, y2 + HEIGHT / 2);
            let dashes = if edge.certain { "" } else { " stroke-dasharray=\"5 4\"" };
            let _ = writeln!(
                out,
                "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#57606a\"{dashes} marker-end=\"url(#tip)\"/>\
                 <text x=\"{}\" y=\"{}\" fill=\"currentColor\" text-anchor=\"middle\">{}</text>",
                x1.midpoint(x2),
                (y1.midpoint(y2)).saturating_sub(5),
                escaped(&edge.way)
            );
        }
        for (node, (x, y)) in self.nodes.iter().zip(&spots) {
            let (fill, edge) = if node.admin { ("#ffd8d3", "#8b0020") } else { ("#f6f8fa", "#57606a") };
            let _ = writeln!(
                out,
                "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"5\" fill=\"{fill}\" \
                 stroke=\"{edge}\"/><text x=\"{}\" y=\"{}\" fill=\"#1b1f24\" text-anchor=\"middle\">{}</text></g>",
                escaped(&node.label),
                x + WIDTH / 2,
                y + 18,
                escaped(&shortened(&node.label))
            );
        }
        if let Some(words) = self.left_out() {
            let _ = writeln!(out, "<text x=\"20\" y=\"{}\" fill=\"currentColor\">{}</text>", high - 8, escaped(&words));
        }
        out.push_str("</svg>\n");
        out
    }

    fn left_out(&self) -> Option<String> {
        (self.left_out > 0).then(|| format!("{} more are not drawn: at most {DRAWN_MAX} are", self.left_out))
    }
}

/// The end of a long label, which is where an ARN has its name.
fn shortened(label: &str) -> String {
    const CHARS_MAX: usize = 28;
    let length = label.chars().count();
    if length <= CHARS_MAX {
        return label.to_owned();
    }
    format!("…{}", label.chars().skip(length - CHARS_MAX + 1).collect::<String>())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace(['"', '\\'], "'").replace(char::is_control, " "))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn account(names: &[&str]) -> Account {
        let allow = |action: &str| json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] });
        let user = |name: &str, action: &str| {
            json!({ "Arn": format!("arn:aws:iam::111122223333:user/{name}"), "UserName": name,
                "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": allow(action) }] })
        };
        let mut users = vec![user("boss", "*")];
        users.extend(names.iter().map(|n| user(n, "iam:CreateAccessKey")));
        Account::from_authorization_details(&json!({ "UserDetailList": users })).unwrap()
    }

    fn drawn(account: &Account) -> Drawing {
        let mut drawing = Drawing::default();
        drawing.add(account, &super::super::graph(account));
        drawing
    }

    #[test]
    fn both_forms() {
        let drawing = drawn(&account(&["eve", "<b>"]));
        assert!(!drawing.is_empty());
        let (dot, svg) = (drawing.dot(), drawing.svg());
        assert!(dot.contains("label=\"iam-002\"") && dot.contains("doubleoctagon"), "{dot}");
        assert!(svg.contains("user/eve") && svg.contains("&lt;b&gt;") && !svg.contains("<b>"), "{svg}");
        assert_eq!(svg.matches("<line").count(), 2);
        assert!(drawn(&account(&[])).is_empty());
    }

    #[test]
    fn a_limit_on_what_is_drawn() {
        let names: Vec<String> = (0..DRAWN_MAX + 10).map(|i| format!("u{i}")).collect();
        let drawing = drawn(&account(&names.iter().map(String::as_str).collect::<Vec<_>>()));
        assert!(drawing.nodes.len() <= DRAWN_MAX && drawing.nodes.len() > DRAWN_MAX - 3, "{}", drawing.nodes.len());
        assert!(drawing.svg().contains("more are not drawn") && drawing.dot().contains("more are not drawn"));
    }
}
