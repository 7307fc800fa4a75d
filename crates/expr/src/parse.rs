//! Tokens to a syntax tree, by CEL's grammar (cel-spec, "Syntax"): operator precedence climbing, nesting capped. Message literals
//! (`Type{field: x}`) and leading dots are left out: there are no messages and no packages.

use crate::Problem;
use crate::limit::{DEPTH_MAX, SOURCE_BYTES_MAX};
use crate::syntax::{Binary, Expr, Form, Ident};
use crate::token::{Lexer, Tok, Token};

/// Words that CEL keeps for its host languages; they may not stand for a value.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Parses all of `source` as one expression.
pub(crate) fn parse(source: &str) -> Result<Expr, Problem> {
    check_length(source)?;
    let mut parser = Parser::new(source, 0)?;
    let expr = parser.expr(TERNARY)?;
    match parser.token.tok {
        Tok::End => Ok(expr),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

/// Refuses sources beyond [`SOURCE_BYTES_MAX`].
pub(crate) fn check_length(source: &str) -> Result<(), Problem> {
    if source.len() <= SOURCE_BYTES_MAX {
        return Ok(());
    }
    let message = format!("{} bytes, but an expression has at most {SOURCE_BYTES_MAX}", source.len());
    Err(Problem::new(source, 0, 0, message))
}

/// Parses the expression that starts at `at` and ends before a `|` or `}`: the token, and the offset behind it.
pub(crate) fn parse_hole(source: &str, at: usize) -> Result<(Expr, &'static str, usize), Problem> {
    let mut parser = Parser::new(source, at)?;
    let expr = parser.expr(TERNARY)?;
    match parser.token.tok {
        Tok::Punct(stop @ ("|" | "}")) => Ok((expr, stop, parser.token.end)),
        _ => Err(parser.unexpected("`|` or `}`")),
    }
}

const TERNARY: u8 = 1;
const OR: u8 = 2;
const AND: u8 = 3;
const RELATION: u8 = 4;
const ADDITION: u8 = 5;
const MULTIPLICATION: u8 = 6;

struct Parser<'s> {
    lexer: Lexer<'s>,
    token: Token,
    nesting: u16,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str, at: usize) -> Result<Parser<'s>, Problem> {
        let mut lexer = Lexer { source, at };
        let token = lexer.next()?;
        Ok(Parser { lexer, token, nesting: 0 })
    }

    fn slice(&self, at: usize, end: usize) -> &'s str {
        self.lexer.source.get(at..end).unwrap_or_default()
    }

    fn word(&self) -> &'s str {
        match self.token.tok {
            Tok::Name => self.slice(self.token.at, self.token.end),
            _ => "",
        }
    }

    fn is(&self, punct: &str) -> bool {
        matches!(self.token.tok, Tok::Punct(p) if p == punct)
    }

    fn advance(&mut self) -> Result<Token, Problem> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// Takes the token if it is this one.
    fn eat(&mut self, punct: &str) -> Result<bool, Problem> {
        let found = self.is(punct);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Takes this closing token and returns the offset behind it.
    fn close(&mut self, punct: &str) -> Result<usize, Problem> {
        if self.is(punct) { Ok(self.advance()?.end) } else { Err(self.unexpected(&format!("`{punct}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        let Token { at, end, tok } = &self.token;
        let message = match tok {
            Tok::End => format!("expected {wanted}, found the end"),
            _ => format!("expected {wanted}, found `{}`", self.slice(*at, *end)),
        };
        let problem = Problem::new(self.lexer.source, *at, *end, message);
        match self.word() {
            "and" => problem.help("the logical and is written `&&`"),
            "or" => problem.help("the logical or is written `||`"),
            "not" => problem.help("negation is written `!`"),
            _ => problem,
        }
    }

    fn node(&self, at: usize, end: usize, kind: Form) -> Result<Expr, Problem> {
        let depth = kind.depth() + 1;
        if depth > DEPTH_MAX {
            return Err(self.too_deep(at));
        }
        Ok(Expr { at: at as u16, end: end as u16, depth, kind })
    }

    fn too_deep(&self, at: usize) -> Problem {
        Problem::new(self.lexer.source, at, at, format!("nested deeper than {DEPTH_MAX} levels"))
    }

    fn expr(&mut self, least: u8) -> Result<Expr, Problem> {
        self.nesting += 1;
        if self.nesting > DEPTH_MAX {
            return Err(self.too_deep(self.token.at));
        }
        let mut left = self.unary()?;
        while let Some((power, operator)) = self.operator().filter(|(power, _)| *power >= least) {
            self.advance()?;
            left = match (power, operator) {
                (TERNARY, _) => self.conditional(left)?,
                (OR | AND, _) => self.chain(left, power)?,
                (_, Some(operator)) => {
                    let right = self.expr(power + 1)?;
                    let (at, end) = (left.at as usize, right.end as usize);
                    self.node(at, end, Form::Binary(operator, Box::new(left), Box::new(right)))?
                }
                (_, None) => left,
            };
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn operator(&self) -> Option<(u8, Option<Binary>)> {
        let Tok::Punct(punct) = self.token.tok else {
            return if self.word() == "in" { Some((RELATION, Some(Binary::In))) } else { None };
        };
        let (power, operator) = match punct {
            "?" => return Some((TERNARY, None)),
            "||" => return Some((OR, None)),
            "&&" => return Some((AND, None)),
            "==" => (RELATION, Binary::Equal),
            "!=" => (RELATION, Binary::Differ),
            "<" => (RELATION, Binary::Less),
            "<=" => (RELATION, Binary::LessEqual),
            ">" => (RELATION, Binary::Greater),
            ">=" => (RELATION, Binary::GreaterEqual),
            "+" => (ADDITION, Binary::Add),
            "-" => (ADDITION, Binary::Sub),
            "*" => (MULTIPLICATION, Binary::Mul),
            "/" => (MULTIPLICATION, Binary::Div),
            "%" => (MULTIPLICATION, Binary::Rem),
            _ => return None,
        };
        Some((power, Some(operator)))
    }

    fn conditional(&mut self, test: Expr) -> Result<Expr, Problem> {
        let yes = self.expr(OR)?;
        if !self.eat(":")? {
            return Err(self.unexpected("`:` and the other value of `? :`"));
        }
        let no = self.expr(TERNARY)?;
        let (at, end) = (test.at as usize, no.end as usize);
        self.node(at, end, Form::Cond(Box::new([test, yes, no])))
    }

    /// The rest of `a && b && c` or `a || b || c`, behind the first operator.
    fn chain(&mut self, first: Expr, power: u8) -> Result<Expr, Problem> {
        let at = first.at as usize;
        let mut parts = vec![first];
        let operator = if power == AND { "&&" } else { "||" };
        loop {
            parts.push(self.expr(power + 1)?);
            if !self.eat(operator)? {
                break;
            }
        }
        let end = parts.last().map_or(at, |e| e.end as usize);
        self.node(at, end, if power == AND { Form::And(parts) } else { Form::Or(parts) })
    }

    fn unary(&mut self) -> Result<Expr, Problem> {
        let at = self.token.at;
        if self.is("!") || self.is("-") {
            self.nesting += 1;
            if self.nesting > DEPTH_MAX {
                return Err(self.too_deep(at));
            }
            let minus = self.is("-");
            self.advance()?;
            let made = if let (true, Tok::Int(number)) = (minus, &self.token.tok) {
                let number = self.negative(*number)?;
                let end = self.advance()?.end;
                let literal = self.node(at, end, Form::Int(number))?;
                self.members(literal)?
            } else {
                let inner = self.unary()?;
                let end = inner.end as usize;
                match (minus, inner.kind) {
                    (true, Form::Dec(number)) => self.node(at, end, Form::Dec(-number))?,
                    (true, kind) => self.node(at, end, Form::Neg(Box::new(Expr { kind, ..inner })))?,
                    (false, kind) => self.node(at, end, Form::Not(Box::new(Expr { kind, ..inner })))?,
                }
            };
            self.nesting -= 1;
            return Ok(made);
        }
        let first = self.primary()?;
        self.members(first)
    }

    fn negative(&self, number: u64) -> Result<i64, Problem> {
        0i64.checked_sub_unsigned(number).ok_or_else(|| self.out_of_range())
    }

    fn out_of_range(&self) -> Problem {
        Problem::new(self.lexer.source, self.token.at, self.token.end, "whole numbers have at most 64 bits with their sign")
    }

    fn members(&mut self, mut left: Expr) -> Result<Expr, Problem> {
        loop {
            let at = left.at as usize;
            if self.eat(".")? {
                let name = self.selector()?;
                left = if self.eat("(")? {
                    let (args, end) = self.list(")")?;
                    self.node(at, end, Form::Call(Some(Box::new(left)), name, args))?
                } else {
                    let end = name.end as usize;
                    self.node(at, end, Form::Select(Box::new(left), name))?
                };
            } else if self.eat("[")? {
                let index = self.expr(TERNARY)?;
                let end = self.close("]")?;
                left = self.node(at, end, Form::Index(Box::new(left), Box::new(index)))?;
            } else if self.is("{") && matches!(left.kind, Form::Name(_) | Form::Select(..)) {
                let help = "a map is written without a name: `{\"key\": value}`";
                return Err(self.unexpected("an operator or the end").help(help));
            } else {
                return Ok(left);
            }
        }
    }

    fn selector(&mut self) -> Result<Ident, Problem> {
        match self.word() {
            "" => Err(self.unexpected("a name")),
            "true" | "false" | "null" | "in" => Err(self.unexpected("a name").help("this word is a member only in `x[\"...\"]`")),
            word => {
                let text = word.to_owned();
                let Token { at, end, .. } = self.advance()?;
                Ok(Ident { at: at as u16, end: end as u16, text })
            }
        }
    }

    /// Expressions up to the closing token, and the offset behind it. One comma may trail.
    fn list(&mut self, close: &str) -> Result<(Vec<Expr>, usize), Problem> {
        let mut items = Vec::new();
        while !self.is(close) {
            items.push(self.expr(TERNARY)?);
            if !self.eat(",")? {
                break;
            }
        }
        let end = self.close(close)?;
        Ok((items, end))
    }

    fn primary(&mut self) -> Result<Expr, Problem> {
        let Token { at, end, tok } = self.token.clone();
        match tok {
            Tok::Int(number) => {
                let number = i64::try_from(number).map_err(|_| self.out_of_range())?;
                self.advance()?;
                self.node(at, end, Form::Int(number))
            }
            Tok::Dec(number) => {
                self.advance()?;
                self.node(at, end, Form::Dec(number))
            }
            Tok::Text(text) => {
                self.advance()?;
                self.node(at, end, Form::Str(text))
            }
            Tok::Name => self.named(at, end),
            Tok::Punct("(") => {
                self.advance()?;
                let inner = self.expr(TERNARY)?;
                let end = self.close(")")?;
                Ok(Expr { at: at as u16, end: end as u16, ..inner })
            }
            Tok::Punct("[") => {
                self.advance()?;
                let (items, end) = self.list("]")?;
                self.node(at, end, Form::List(items))
            }
            Tok::Punct("{") => self.map(at),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn named(&mut self, at: usize, end: usize) -> Result<Expr, Problem> {
        let word = self.word();
        let literal = match word {
            "true" => Some(Form::Bool(true)),
            "false" => Some(Form::Bool(false)),
            "null" => Some(Form::Null),
            "in" => return Err(self.unexpected("a value")),
            word if RESERVED.contains(&word) => {
                let help = format!("a property of this name is written `self.{word}`");
                return Err(Problem::new(self.lexer.source, at, end, format!("`{word}` is a reserved word")).help(help));
            }
            _ => None,
        };
        self.advance()?;
        if let Some(literal) = literal {
            return self.node(at, end, literal);
        }
        if self.eat("(")? {
            let name = Ident { at: at as u16, end: end as u16, text: word.to_owned() };
            let (args, end) = self.list(")")?;
            return self.node(at, end, Form::Call(None, name, args));
        }
        self.node(at, end, Form::Name(word.to_owned()))
    }

    fn map(&mut self, at: usize) -> Result<Expr, Problem> {
        self.advance()?;
        let mut entries = Vec::new();
        while !self.is("}") {
            let key = self.expr(TERNARY)?;
            if !self.eat(":")? {
                return Err(self.unexpected("`:` and the value of this key"));
            }
            entries.push((key, self.expr(TERNARY)?));
            if !self.eat(",")? {
                break;
            }
        }
        let end = self.close("}")?;
        self.node(at, end, Form::Map(entries))
    }
}
