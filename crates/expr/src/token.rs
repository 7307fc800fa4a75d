//! Text to tokens, by CEL's lexical grammar (cel-spec, "Lexis"). Bytes literals, unsigned numbers and backquoted names are left
//! out: no AWS property needs them.

use crate::Problem;

/// What a token is. The text of a name is the token's place in the source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tok {
    Name,
    Int(u64),
    Dec(f64),
    Text(String),
    Punct(&'static str),
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) tok: Tok,
    pub(crate) at: usize,
    pub(crate) end: usize,
}

/// Longest first, so that `<=` is not read as `<`.
const PUNCTUATION: &[&str] = &[
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}",
    "|",
];

pub(crate) struct Lexer<'s> {
    pub(crate) source: &'s str,
    pub(crate) at: usize,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn problem(&self, at: usize, end: usize, message: impl Into<String>) -> Problem {
        Problem::new(self.source, at, end, message)
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !keep(c)).unwrap_or(rest.len());
    }

    /// The next token; `End` for ever at the end.
    pub(crate) fn next(&mut self) -> Result<Token, Problem> {
        loop {
            self.skip_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.rest().starts_with("//") {
                break;
            }
            self.skip_while(|c| c != '\n' && c != '\r');
        }
        let at = self.at;
        let tok = self.token()?;
        Ok(Token { tok, at, end: self.at })
    }

    fn token(&mut self) -> Result<Tok, Problem> {
        let at = self.at;
        let Some(first) = self.peek() else { return Ok(Tok::End) };
        if first.is_ascii_digit() || (first == '.' && self.rest().as_bytes().get(1).is_some_and(|b| b.is_ascii_digit())) {
            return self.number();
        }
        if first == '"' || first == '\'' {
            return self.text(false);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return self.name(first);
        }
        if let Some(punct) = PUNCTUATION.iter().find(|p| self.rest().starts_with(**p)) {
            self.at += punct.len();
            return Ok(Tok::Punct(punct));
        }
        let problem = self.problem(at, at + first.len_utf8(), format!("`{}` has no meaning here", first.escape_debug()));
        Err(match first {
            '=' => problem.help("`==` compares"),
            '&' => problem.help("`&&` is the logical and"),
            '`' => problem.help("a key that is not a name is written `x[\"key\"]`"),
            _ => problem,
        })
    }

    fn name(&mut self, first: char) -> Result<Tok, Problem> {
        let at = self.at;
        self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let quoted = matches!(self.peek(), Some('"' | '\''));
        if !quoted || self.at - at > 2 {
            return Ok(Tok::Name);
        }
        match (first, self.at - at) {
            ('r' | 'R', 1) => self.text(true),
            ('b' | 'B', 1) | ('r' | 'R' | 'b' | 'B', 2) => {
                Err(self.problem(at, self.at, "bytes are not supported").help("leave the `b` out: properties hold text"))
            }
            _ => Ok(Tok::Name),
        }
    }

    fn number(&mut self) -> Result<Tok, Problem> {
        let at = self.at;
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            let digits = self.at;
            self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
            let text = self.source.get(digits..self.at).unwrap_or_default();
            return u64::from_str_radix(text, 16)
                .map(Tok::Int)
                .map_err(|_| self.problem(at, self.at, "not a hexadecimal number of at most 64 bits"));
        }
        self.skip_while(|c| c.is_ascii_digit());
        let mut whole = true;
        let mut ahead = self.rest().bytes();
        if ahead.next() == Some(b'.') && ahead.next().is_some_and(|b| b.is_ascii_digit()) {
            whole = false;
            self.at += 1;
            self.skip_while(|c| c.is_ascii_digit());
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.skip_while(|c| c.is_ascii_digit());
        }
        let number = self.at;
        self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let text = self.source.get(at..number).unwrap_or_default();
        if self.at > number {
            let problem = self.problem(at, self.at, "not a number");
            let unsigned = self.source.get(number..self.at).is_some_and(|tail| tail.eq_ignore_ascii_case("u"));
            return Err(if unsigned { problem.help("whole numbers are signed here: leave the `u` out") } else { problem });
        }
        if whole {
            text.parse().map(Tok::Int).map_err(|_| self.problem(at, self.at, "whole numbers have at most 64 bits"))
        } else {
            match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Tok::Dec(number)),
                _ => Err(self.problem(at, self.at, "not a number")),
            }
        }
    }

    /// A quoted text, the cursor on its first quote.
    fn text(&mut self, raw: bool) -> Result<Tok, Problem> {
        let at = self.at;
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|q| self.rest().starts_with(q)).unwrap_or("\"");
        self.at += quote.len();
        let mut text = String::new();
        loop {
            if self.rest().starts_with(quote) {
                self.at += quote.len();
                return Ok(Tok::Text(text));
            }
            let Some(c) = self.peek() else {
                return Err(self.problem(at, self.at, "this text has no closing quote"));
            };
            if quote.len() == 1 && (c == '\n' || c == '\r') {
                let help = "a text over several lines is written between \"\"\" and \"\"\"";
                return Err(self.problem(at, self.at, "this text has no closing quote on its line").help(help));
            }
            if c == '\\' && !raw {
                text.push(self.escape()?);
            } else {
                self.at += c.len_utf8();
                text.push(c);
            }
        }
    }

    /// One escape sequence, the cursor on its backslash.
    fn escape(&mut self) -> Result<char, Problem> {
        let at = self.at;
        self.at += 1;
        let kind = self.peek().unwrap_or(' ');
        self.at += kind.len_utf8().min(self.rest().len());
        let plain = match kind {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' | '?' | '"' | '\'' | '`' => kind,
            'x' | 'X' => return self.code(at, 2, 16),
            'u' => return self.code(at, 4, 16),
            'U' => return self.code(at, 8, 16),
            '0'..='3' => {
                self.at -= 1;
                return self.code(at, 3, 8);
            }
            _ => {
                let help = "a backslash itself is written `\\\\`, or the text `r\"...\"`";
                return Err(self.problem(at, self.at, "no such escape").help(help));
            }
        };
        Ok(plain)
    }

    fn code(&mut self, at: usize, digits: usize, radix: u32) -> Result<char, Problem> {
        let text = self.rest().get(..digits).unwrap_or_default();
        let fine = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
        let code = if fine { u32::from_str_radix(text, radix).ok().and_then(char::from_u32) } else { None };
        match code {
            Some(c) => {
                self.at += digits;
                Ok(c)
            }
            None => Err(self.problem(at, self.at, format!("this escape takes {digits} digits that name a character"))),
        }
    }
}
