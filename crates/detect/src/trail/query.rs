//! Questions: `who=*admin* did=Delete* from=203.0.113.0/24 error=none`.

use logs::cloudtrail::Event;
use logs::paths::{PathId, Paths};

use crate::sighting::{Standard, seconds};
use crate::suppress::glob;

/// The most conditions in a question.
const CONDITIONS_MAX: usize = 64;

/// What is wrong with a question: one line, lower case.
pub type QueryError = String;

/// Conditions, all of which must hold.
#[derive(Clone, Debug, Default)]
pub struct Query {
    conditions: Vec<Condition>,
    since: Option<i64>,
    until: Option<i64>,
}

#[derive(Clone, Debug)]
struct Condition {
    fields: Vec<PathId>,
    wanted: Vec<Wanted>,
    negated: bool,
}

#[derive(Clone, Debug)]
enum Wanted {
    Glob(String),
    Range(ipnet::IpNet),
    Absent,
}

/// What a short word stands for.
fn fields(word: &str) -> Option<&'static [&'static str]> {
    Some(match word {
        "who" => &[
            "userIdentity.arn",
            "userIdentity.userName",
            "userIdentity.principalId",
            "userIdentity.sessionContext.sessionIssuer.arn",
        ],
        "did" => &["eventName"],
        "service" => &["eventSource"],
        "from" => &["sourceIPAddress"],
        "in" => &["awsRegion"],
        "account" => &["recipientAccountId", "userIdentity.accountId"],
        "key" => &["userIdentity.accessKeyId"],
        "agent" => &["userAgent"],
        "error" => &["errorCode"],
        "id" => &["eventID"],
        "type" => &["userIdentity.type"],
        _ => return None,
    })
}

impl Query {
    /// Reads a question: `field=value` or `field!=value`, apart by spaces; a value with a space stands in double quotes, `|`
    /// parts alternatives, `*` stands for anything, `none` for an absent field. A field is one of who, did, service, from,
    /// in, account, key, agent, error, id, type, on (any text in the record), since, until, or a path such as
    /// `requestParameters.bucketName`.
    ///
    /// # Errors
    /// If a part isn't a condition.
    pub fn parse(text: &str, paths: &mut Paths) -> Result<Query, QueryError> {
        let mut query = Query::default();
        for part in parts(text)? {
            query.add(&part, paths)?;
        }
        if query.conditions.len() > CONDITIONS_MAX {
            return Err(format!("a question has at most {CONDITIONS_MAX} conditions"));
        }
        Ok(query)
    }

    fn add(&mut self, part: &str, paths: &mut Paths) -> Result<(), QueryError> {
        let Some((field, value)) = part.split_once('=') else { return Err(format!("`{part}` isn't FIELD=VALUE")) };
        let (field, negated) = field.strip_suffix('!').map_or((field, false), |field| (field, true));
        if matches!(field, "since" | "until") {
            let text = if value.len() == 10 { format!("{value}T00:00:00Z") } else { value.to_owned() };
            let time =
                logs::time::seconds(text.as_bytes()).ok_or(format!("`{value}` isn't a time such as 2026-01-31T12:00:00Z"))?;
            *(if field == "since" { &mut self.since } else { &mut self.until }) = Some(time);
            return Ok(());
        }
        let fields: Vec<PathId> = match fields(field) {
            Some(names) => names.iter().map(|name| paths.add(name)).collect(),
            None if field == "on" => {
                paths.add_every_string();
                vec![]
            }
            None if field.contains(|c: char| c.is_uppercase() || c == '.') => vec![paths.add(field)],
            None => {
                return Err(format!(
                    "`{field}` isn't a field\n  help: who, did, service, from, in, account, key, agent, error, id, type, on, since, until, or a path such as requestParameters.bucketName"
                ));
            }
        };
        let wanted = value.split('|').map(|value| match (value, value.parse::<ipnet::IpNet>()) {
            ("none", _) => Wanted::Absent,
            (_, Ok(range)) => Wanted::Range(range),
            _ => Wanted::Glob(value.to_ascii_lowercase()),
        });
        self.conditions.push(Condition { fields, wanted: wanted.collect(), negated });
        Ok(())
    }

    /// Whether an event is an answer.
    pub fn holds(&self, event: &Event<'_>, standard: &Standard) -> bool {
        let time = seconds(event, standard);
        self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until)
            && self.conditions.iter().all(|condition| condition.holds(event))
    }
}

impl Condition {
    fn holds(&self, event: &Event<'_>) -> bool {
        let fits = |text: &str| {
            self.wanted.iter().any(|wanted| match wanted {
                Wanted::Glob(pattern) => glob(pattern, &text.to_ascii_lowercase()),
                Wanted::Range(range) => text.parse::<std::net::IpAddr>().is_ok_and(|address| range.contains(&address)),
                Wanted::Absent => false,
            })
        };
        let absent = || self.wanted.iter().any(|wanted| matches!(wanted, Wanted::Absent));
        let found = if self.fields.is_empty() {
            event.strings().any(|leaf| fits(leaf.text()))
        } else {
            let present = self.fields.iter().any(|path| event.text(*path).is_some());
            (!present && absent()) || self.fields.iter().any(|path| event.values(*path).any(|leaf| fits(leaf.text())))
        };
        found != self.negated
    }
}

/// Parts at spaces, but not inside double quotes.
fn parts(text: &str) -> Result<Vec<String>, QueryError> {
    let (mut parts, mut part, mut quoted) = (vec![], String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' | '\t' | '\n' if !quoted => parts.extend(Some(std::mem::take(&mut part)).filter(|part| !part.is_empty())),
            _ => part.push(letter),
        }
    }
    if quoted {
        return Err("a double quote isn't closed".to_owned());
    }
    parts.extend(Some(part).filter(|part| !part.is_empty()));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use logs::cloudtrail::{Item, Reader};

    use super::*;

    fn answers(question: &str) -> bool {
        let record = r#"{"eventName":"DeleteTrail","eventTime":"2026-01-31T12:00:00Z","sourceIPAddress":"203.0.113.9","userIdentity":{"arn":"arn:aws:iam::1:user/Ann"},"requestParameters":{"name":"my trail"}}"#;
        let mut paths = Paths::new();
        let standard = Standard::new(&mut paths);
        let query = Query::parse(question, &mut paths).unwrap();
        let mut found = false;
        Reader::new(&paths).read(record.as_bytes(), &mut |item| {
            if let Item::Event(event) = item {
                found = query.holds(&event, &standard);
            }
        });
        found
    }

    #[test]
    fn questions_are_answered() {
        for (question, want) in [
            ("", true),
            ("who=*ann", true),
            ("who=*ann did=Get*", false),
            ("did=Get*|Delete*", true),
            ("did!=Delete*", false),
            ("from=203.0.113.0/24", true),
            ("from=203.0.113.9", true),
            ("from!=203.0.113.0/24", false),
            ("error=none", true),
            ("error!=none", false),
            ("error=AccessDenied", false),
            ("requestParameters.name=\"my trail\"", true),
            ("on=*trail*", true),
            ("on=*bucket*", false),
            ("since=2026-01-31 until=2026-02-01", true),
            ("since=2026-01-31T12:00:01Z", false),
        ] {
            assert_eq!(answers(question), want, "{question}");
        }
    }

    #[test]
    fn what_is_no_question_is_refused() {
        for text in ["ann", "whom=ann", "since=yesterday", "who=\"ann"] {
            assert!(Query::parse(text, &mut Paths::new()).is_err(), "{text}");
        }
        let many = |n: usize| "did=x ".repeat(n);
        assert!(Query::parse(&many(CONDITIONS_MAX), &mut Paths::new()).is_ok());
        assert!(Query::parse(&many(CONDITIONS_MAX + 1), &mut Paths::new()).is_err());
    }
}
