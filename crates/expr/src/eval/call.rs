//! The functions: arguments are evaluated here and handed to what knows them.

use std::cmp::Ordering;

use model::{Link, Reason, Text};

use super::pattern::catches;
use super::text::{Part, base64, glob, version_lt};
use super::val::{Tri, Val, Why};
use super::{Eval, secret, time};
use crate::function::Fun;
use crate::node::{Node, Want};

impl<'e> Eval<'e> {
    pub(super) fn call(&self, fun: Fun, args: &'e [Node], node: &'e Node) -> Val<'e> {
        let arg = |i: usize| args.get(i).map_or(Val::Null, |n| self.eval(n));
        match fun {
            Fun::StartsWith => self.has_part(arg(0), arg(1), Part::Start, node).val(),
            Fun::EndsWith => self.has_part(arg(0), arg(1), Part::End, node).val(),
            Fun::Contains => self.has_part(arg(0), arg(1), Part::Anywhere, node).val(),
            Fun::Glob => self.two_texts(arg(0), arg(1), node, glob).val(),
            Fun::Catches => self.catches(arg(0), arg(1), node),
            Fun::VersionLt => self.version(arg(0), arg(1), node),
            Fun::LowerAscii => self.remake(arg(0), node, str::to_ascii_lowercase),
            Fun::UpperAscii => self.remake(arg(0), node, str::to_ascii_uppercase),
            Fun::Trim => self.remake(arg(0), node, |text| text.trim().to_owned()),
            Fun::Base64 => self.remake(arg(0), node, |text| base64(text).unwrap_or_else(|| text.to_owned())),
            Fun::Split | Fun::Replace | Fun::Join => self.pieces(fun, arg(0), [arg(1), arg(2)], node),
            Fun::Size => self.size(arg(0), node),
            Fun::ToInt => self.to_int(arg(0), node),
            Fun::ToDouble => self.to_double(arg(0), node),
            Fun::ToString => self.to_text(arg(0), node),
            Fun::ToBool => self.read(self.settle(arg(0)), Want::Bool, node),
            Fun::ToTime => self.moment(arg(0), Want::Time, node),
            Fun::ToDuration => self.moment(arg(0), Want::Dur, node),
            Fun::AgeDays | Fun::DaysUntil => self.days(fun, arg(0), node),
            Fun::CidrIn => self.cidr_in(arg(0), arg(1), node).val(),
            Fun::CidrAny => self.cidr_any(arg(0), node).val(),
            Fun::CidrPrefix => self.cidr_prefix(arg(0), node),
            Fun::IpPrivate => self.ip_private(arg(0), node).val(),
            Fun::PortIn => self.port_in(arg(0), arg(1), arg(2), node).val(),
            Fun::IsSecret => self.is_secret(arg(0)).val(),
            Fun::SecretName => self.ask(arg(0), node, secret::secret_name).val(),
            Fun::IsLiteral => self.is_literal(arg(0)).val(),
            Fun::IsLink => self.is_link(arg(0)).val(),
            Fun::Json => self.json(arg(0), node),
            Fun::Resolve => self.resolve(arg(0), node),
            Fun::Default => self.default(arg(0), || arg(1)),
            Fun::Flatten => self.flatten(arg(0), node),
            Fun::Distinct => self.distinct(arg(0), node),
            Fun::Keys => self.key_list(arg(0), node),
            Fun::Values => self.value_list(arg(0), node),
            Fun::Pairs => self.pairs(arg(0), node),
            Fun::ToList => self.to_list(arg(0), node),
            Fun::Min => self.extreme(arg(0), Ordering::Less, node),
            Fun::Max => self.extreme(arg(0), Ordering::Greater, node),
            Fun::Sum => self.sum(arg(0), node),
        }
    }

    /// A question that takes two texts. False if the first is null.
    fn two_texts(&self, a: Val<'e>, b: Val<'e>, node: &'e Node, answer: impl Fn(&str, &str) -> bool) -> Tri<'e> {
        match self.text(b, node) {
            Ok(b) => self.ask(a, node, |a| answer(a, b)),
            Err(_) if matches!(a, Val::Null) => Tri::No,
            Err(why) => Tri::Open(why),
        }
    }

    /// Whether a CloudWatch Logs filter pattern matches a JSON event.
    fn catches(&self, pattern: Val<'e>, event: Val<'e>, node: &'e Node) -> Val<'e> {
        if matches!(pattern, Val::Null) {
            return Val::Bool(false);
        }
        match (self.text(pattern, node), self.text(event, node)) {
            (Ok(pattern), Ok(event)) => match catches(pattern, event) {
                Some(found) => Val::Bool(found),
                None => self.undefined(node, "the filter pattern cannot be read"),
            },
            (Err(why), Ok(_)) | (Ok(_), Err(why)) => Val::Unknown(why),
            (Err(a), Err(b)) => Val::Unknown(a.with(b, self.arena)),
        }
    }

    fn version(&self, a: Val<'e>, b: Val<'e>, node: &'e Node) -> Val<'e> {
        match (self.text(a, node), self.text(b, node)) {
            (Ok(a), Ok(b)) => Val::Bool(version_lt(a, b)),
            (Err(why), Ok(_)) | (Ok(_), Err(why)) => Val::Unknown(why),
            (Err(a), Err(b)) => Val::Unknown(a.with(b, self.arena)),
        }
    }

    fn pieces(&self, fun: Fun, subject: Val<'e>, more: [Val<'e>; 2], node: &'e Node) -> Val<'e> {
        let made = || -> Result<Val<'e>, Why<'e>> {
            if let (Fun::Join, [Val::Null, _]) = (fun, more) {
                return self.join(subject, "", node);
            }
            let [first, second] = more;
            let first = self.text(first, node)?;
            match fun {
                Fun::Join => self.join(subject, first, node),
                _ if matches!(subject, Val::Null) => Ok(Val::Null),
                Fun::Split => self.split(self.text(subject, node)?, first),
                _ => self.replace(self.text(subject, node)?, first, self.text(second, node)?),
            }
        };
        made().unwrap_or_else(Val::Unknown)
    }

    fn to_int(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        match self.settle(val) {
            Val::Bool(b) => Val::Int(i64::from(b)),
            Val::Dec(d) if d.abs() < 9.2e18 => Val::Int(d.trunc() as i64),
            Val::Dec(_) => self.undefined(node, "the number is too large"),
            Val::Time(time) => Val::Int(time.as_second()),
            open @ (Val::Link(_) | Val::Mixed(_)) => self.misfit(open, node, "a whole number"),
            other => self.read(other, Want::Int, node),
        }
    }

    fn to_double(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        match self.settle(val) {
            Val::Int(n) => Val::Dec(n as f64),
            open @ (Val::Link(_) | Val::Mixed(_)) => self.misfit(open, node, "a number"),
            other => self.read(other, Want::Dec, node),
        }
    }

    fn to_text(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        match self.settle(val) {
            Val::Time(time) => self.made_text(time.to_string()),
            Val::Dur(duration) => self.made_text(format!("{}s", duration.as_secs_f64())),
            other => self.read(other, Want::Str, node),
        }
    }

    fn moment(&self, val: Val<'e>, want: Want, node: &'e Node) -> Val<'e> {
        match self.settle(val) {
            open @ (Val::Link(_) | Val::Mixed(_)) => self.misfit(open, node, want.words()),
            other => self.read(other, want, node),
        }
    }

    fn days(&self, fun: Fun, val: Val<'e>, node: &'e Node) -> Val<'e> {
        match self.moment(val, Want::Time, node) {
            Val::Time(time) if fun == Fun::AgeDays => Val::Int(time::days_between(time, self.env.now())),
            Val::Time(time) => Val::Int(time::days_between(self.env.now(), time)),
            other => other,
        }
    }

    fn is_link(&self, val: Val<'e>) -> Tri<'e> {
        match val {
            Val::Link(_) => Tri::Yes,
            Val::Unknown(Why::One(unknown)) if unknown.reason.is_elsewhere() => Tri::No,
            Val::Unknown(why) => Tri::Open(why),
            _ => Tri::No,
        }
    }

    fn json(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        match self.settle(val) {
            Val::Null => Val::Null,
            Val::Str(text) => self.parse_json(text, node),
            map @ (Val::Map(_) | Val::List(_) | Val::PartMap(_) | Val::Items(_)) => map,
            other => self.misfit(other, node, "JSON text"),
        }
    }

    /// The resource behind a link, or with this id.
    fn resolve(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        let found = match val {
            Val::Null => return Val::Null,
            Val::Resource(_) => return val,
            Val::Link(link) => self.env.resolve(link).ok_or_else(|| super::load::link_text(link)),
            Val::Str(text) => {
                let link = Link { target: Text::from(text), attr: Text::from("") };
                self.env.resolve(&link).ok_or_else(|| text.to_owned())
            }
            other => return self.misfit(other, node, "a reference"),
        };
        match found {
            Ok(resource) => Val::Resource(resource),
            Err(what) => Val::Unknown(self.why(Reason::NotCollected, &what, true)),
        }
    }

    fn default(&self, val: Val<'e>, other: impl Fn() -> Val<'e>) -> Val<'e> {
        match val {
            Val::Null => other(),
            Val::Unknown(why) if !why.present() => {
                let other = other();
                let set = matches!(self.is_null(other), Tri::No);
                let why = match other {
                    Val::Unknown(more) => why.with(more, self.arena),
                    _ => why,
                };
                Val::Unknown(why.set(set, self.arena))
            }
            known => known,
        }
    }
}
