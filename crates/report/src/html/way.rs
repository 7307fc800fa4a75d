//! The way that a finding's message tells (`internet -> gateway -> instance (tcp/22) by rule`) as a picture: boxes joined by
//! arrows, the rule under the last one. The template draws it; here is only where things go.

use minijinja::{Value, context};

use crate::printable;

/// The words with which a way begins.
const BEGIN: &str = "internet -> ";
/// A way with more stations than this is not drawn; the message tells it all the same.
const STATIONS_MAX: usize = 12;
/// Longer names are cut.
const CHARS_MAX: usize = 48;

/// Pixels of a character, around a name, and between boxes.
const CHAR: usize = 7;
const PAD: usize = 20;
const GAP: usize = 34;

/// The picture's measures and boxes, if the message tells a way.
pub(super) fn way(message: &str) -> Option<Value> {
    let told = message.get(message.find(BEGIN)?..)?;
    let mut stations: Vec<&str> = told.split(" -> ").collect();
    let last = stations.pop()?;
    let (last, rule) = last.split_once(" by ").map_or((last, None), |(name, rule)| (name, Some(rule)));
    stations.push(last);
    if stations.len() > STATIONS_MAX {
        return None;
    }
    let mut x = 1;
    let mut boxes = Vec::with_capacity(stations.len());
    for station in stations {
        let name = cut(station);
        let width = name.chars().count() * CHAR + PAD;
        boxes.push(context! { x, width, middle => x + width / 2, arrow => x.checked_sub(GAP + 1).map(|_| x - GAP), name });
        x += width + GAP;
    }
    let rule = rule.map(cut);
    let under = rule.as_ref().map_or(0, |rule| rule.chars().count() * CHAR);
    let end = x.saturating_sub(GAP);
    Some(context! { width => end.max(under) + 1, height => if rule.is_some() { 60 } else { 38 }, end, boxes, rule })
}

fn cut(text: &str) -> String {
    let text = printable(text);
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_becomes_boxes_and_its_rule() {
        let way = way("SSH is open: internet -> igw-1 -> web <1> (tcp/22) by sg-1 ingress tcp/22 0.0.0.0/0").unwrap();
        let text = way.to_string();
        for part in ["internet", "igw-1", "web <1> (tcp/22)", "sg-1 ingress tcp/22 0.0.0.0/0"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(way.get_attr("boxes").unwrap().len(), Some(3));
        assert!(super::way("a rule opens port 22 to every address").is_none());
    }

    #[test]
    fn the_limits_of_a_picture() {
        let long = |stations: usize| format!("internet{}", " -> x".repeat(stations - 1));
        assert!(way(&long(STATIONS_MAX)).is_some() && way(&long(STATIONS_MAX + 1)).is_none());
        assert_eq!(cut(&"x".repeat(CHARS_MAX)).chars().count(), CHARS_MAX);
        assert_eq!(cut(&"x".repeat(CHARS_MAX + 1)).chars().count(), CHARS_MAX + 1);
    }
}
