//! PartiQL statements as DynamoDB knows them: which table they touch, and what they pin of its
//! items.
//!
//! The parser is a recursive descent over tokens, with one token of look-ahead. It reads with care
//! only what tells partitions: the table, the WHERE clause, and what an INSERT or an UPDATE gives.
//! Projections, `ORDER BY` and `RETURNING` are skipped, brackets matched. A statement that DynamoDB
//! would refuse may pass: it then touches nothing, and its response says so.
//!
//! A statement *pins* an attribute if every item that it touches has one of a few values there.
//! `WHERE id = 'a' AND n > 3` pins `id` to `a`, and `n` to nothing. Conditions have that force only
//! where they must hold: a pin inside `NOT (...)`, or as an argument of a function, is dropped. Of
//! an OR those pins remain that each branch has.
//!
//! If a statement can't be read, its verb and table may still be known: [`Unread`].
//!
//! The files: `lexer` cuts a text into tokens, `condition` reads WHERE clauses and values, `change`
//! the SET and REMOVE clauses. `redacted` has a reader of its own, which knows tokens alone.

mod change;
mod condition;
mod lexer;
pub(crate) mod redacted;

#[cfg(test)]
mod tests;

use crate::dynamodb::partiql::lexer::{Lexer, Token, closing_bracket};
use crate::dynamodb::values::Values;
use std::borrow::Cow;

/// The depth to which brackets may be nested. The parser is recursive, so there is a bound;
/// DynamoDB allows 32 levels in a document.
pub(crate) const DEPTH_MAX: usize = 64;

/// Words that have a place of their own, so they are not names unless quoted.
const RESERVED: [&str; 13] = [
    "AND",
    "BETWEEN",
    "FROM",
    "IN",
    "IS",
    "LIKE",
    "NOT",
    "OR",
    "ORDER",
    "RETURNING",
    "SELECT",
    "SET",
    "WHERE",
];

/// The table and index that a statement touches, and what it pins of their items.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    pub(crate) verb: Verb,
    pub(crate) table: Cow<'a, str>,
    pub(crate) index: Option<Cow<'a, str>>,
    pub(crate) pins: Vec<Pin<'a>>,
    /// The attributes that an update sets to a lone value.
    pub(crate) sets: Vec<(Cow<'a, str>, Term<'a>)>,
}

/// The kind of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Select,
    Insert,
    Update,
    /// An update that names its table and its item first: `FROM t WHERE ... SET ...`.
    UpdateFrom,
    Delete,
    /// A check of an item, in a transaction: `EXISTS(SELECT ...)`.
    Exists,
}

/// A top-level attribute that has one of `values` in every item that is touched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pin<'a> {
    pub(crate) attribute: Cow<'a, str>,
    pub(crate) values: Values<Term<'a>>,
}

/// The verb and table of a statement that can't be read, as far as they could be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unread<'a> {
    pub(crate) verb: Option<Verb>,
    pub(crate) table: Option<Cow<'a, str>>,
}

/// A value as the statement spells it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Term<'a> {
    /// The n-th `?` of the whole statement, from 0.
    Parameter(usize),
    /// A text in single quotes.
    Text(Cow<'a, str>),
    /// A number as it is written, with its minus.
    Number(&'a str),
    /// A value that cannot be a key, or is not spelled out here.
    Other,
}

/// Reads a statement.
///
/// # Errors
/// [`Unread`] if it can't be read.
pub(crate) fn parse(statement: &str) -> Result<Statement<'_>, Unread<'_>> {
    let mut parser = Parser {
        lexer: Lexer::new(statement),
        token: Token::End,
        start: 0,
        depth: 0,
        pins: Vec::new(),
        sets: Vec::new(),
        so_far: Unread::default(),
    };
    match parser.whole() {
        Some((verb, (table, index))) => {
            Ok(Statement { verb, table, index, pins: parser.pins, sets: parser.sets })
        }
        None => Err(parser.so_far),
    }
}

/// A table, and an index of it.
type Target<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// Reads tokens, one ahead. A method that finds a token which should not be there returns `None`,
/// which ends the reading of the statement.
pub(crate) struct Parser<'a> {
    pub(crate) lexer: Lexer<'a>,
    pub(crate) token: Token<'a>,
    /// Where `token` begins.
    pub(crate) start: usize,
    /// How many expressions are nested here.
    pub(crate) depth: usize,
    /// The pins found so far. A method that reads something which takes the force from a condition
    /// drops what that pinned: it notes the length before, and truncates to it after.
    pub(crate) pins: Vec<Pin<'a>>,
    /// The attributes that are set, as far as they were read.
    pub(crate) sets: Vec<(Cow<'a, str>, Term<'a>)>,
    /// The verb and the table, as soon as they are read: all that is left if what follows can't be.
    so_far: Unread<'a>,
}

impl<'a> Parser<'a> {
    /// Reads a statement to its end, or to a `;` at the end.
    fn whole(&mut self) -> Option<(Verb, Target<'a>)> {
        self.advance()?;
        let statement = self.statement()?;
        self.symbol(";")?;
        (self.token == Token::End).then_some(statement)
    }

    /// Goes to the next token and returns the one before. Text that is no token ends the reading
    /// when it is reached, not one token ahead: so a name before it is still read.
    pub(crate) fn advance(&mut self) -> Option<Token<'a>> {
        if self.token == Token::Unreadable {
            return None;
        }
        let (token, start) = self.lexer.next().unwrap_or((Token::Unreadable, self.start));
        self.start = start;
        Some(std::mem::replace(&mut self.token, token))
    }

    /// Returns whether this keyword is next.
    pub(crate) fn at_word(&self, word: &str) -> bool {
        matches!(self.token, Token::Word(at) if at.eq_ignore_ascii_case(word))
    }

    /// Goes past a keyword if it is next, and returns whether it was.
    pub(crate) fn word(&mut self, word: &str) -> Option<bool> {
        let here = self.at_word(word);
        if here {
            self.advance()?;
        }
        Some(here)
    }

    /// Goes past a symbol if it is next, and returns whether it was.
    pub(crate) fn symbol(&mut self, symbol: &str) -> Option<bool> {
        let here = self.token == Token::Symbol(symbol);
        if here {
            self.advance()?;
        }
        Some(here)
    }

    /// Goes past a keyword, which must be next.
    pub(crate) fn expect_word(&mut self, word: &str) -> Option<()> {
        self.word(word)?.then_some(())
    }

    /// Goes past a symbol, which must be next.
    pub(crate) fn expect(&mut self, symbol: &str) -> Option<()> {
        self.symbol(symbol)?.then_some(())
    }

    /// Reads a statement, without a `;` at its end.
    fn statement(&mut self) -> Option<(Verb, Target<'a>)> {
        let verb = self.verb()?;
        self.so_far.verb = Some(verb);
        let target = match verb {
            Verb::Select => self.select()?,
            Verb::Exists => {
                self.expect("(")?;
                self.expect_word("SELECT")?;
                let target = self.select()?;
                self.expect(")")?;
                target
            }
            Verb::Insert => {
                self.expect_word("INTO")?;
                let target = self.target()?;
                self.expect_word("VALUE")?;
                self.pins = self.map()?;
                self.skip(&[])?; // IF NOT EXISTS
                target
            }
            Verb::Update => {
                let target = self.target()?;
                self.changes()?;
                self.conditions("RETURNING")?;
                target
            }
            Verb::UpdateFrom => {
                let target = self.target()?;
                if self.word("WHERE")? {
                    self.expression()?;
                }
                self.changes()?;
                self.rest("RETURNING")?;
                target
            }
            Verb::Delete => {
                self.expect_word("FROM")?;
                let target = self.target()?;
                self.conditions("RETURNING")?;
                target
            }
        };
        Some((verb, target))
    }

    /// Goes past the word with which a statement begins.
    fn verb(&mut self) -> Option<Verb> {
        const VERBS: [(&str, Verb); 6] = [
            ("SELECT", Verb::Select),
            ("INSERT", Verb::Insert),
            ("UPDATE", Verb::Update),
            ("FROM", Verb::UpdateFrom),
            ("DELETE", Verb::Delete),
            ("EXISTS", Verb::Exists),
        ];
        for (word, verb) in VERBS {
            if self.word(word)? {
                return Some(verb);
            }
        }
        None
    }

    /// Reads what follows SELECT: a projection, which is skipped but must be there, and the rest.
    fn select(&mut self) -> Option<Target<'a>> {
        if self.at_word("FROM") {
            return None;
        }
        self.skip(&["FROM"])?;
        self.expect_word("FROM")?;
        let target = self.target()?;
        self.conditions("ORDER")?;
        Some(target)
    }

    /// Reads a table, and an index of it: `"orders"."by-user"`.
    fn target(&mut self) -> Option<Target<'a>> {
        let table = self.name()?;
        self.so_far.table = Some(table.clone());
        let index = if self.symbol(".")? { Some(self.name()?) } else { None };
        Some((table, index))
    }

    /// Reads a name: one in double quotes, or a bare word that is not reserved.
    pub(crate) fn name(&mut self) -> Option<Cow<'a, str>> {
        match self.advance()? {
            Token::Name(name) => Some(name),
            Token::Word(word) if !is_reserved(word) => Some(word.into()),
            _ => None,
        }
    }

    /// Reads a WHERE clause, and skips what begins with `after`. Neither need be there.
    fn conditions(&mut self, after: &str) -> Option<()> {
        if self.word("WHERE")? {
            self.expression()?;
        }
        self.rest(after)
    }

    /// Skips what begins with `after`, if that is next.
    fn rest(&mut self, after: &str) -> Option<()> {
        if self.at_word(after) { self.skip(&[]) } else { Some(()) }
    }

    /// Skips tokens up to one of `stops`, which are words and symbols, or to a `;`, a bracket that
    /// closes what is around, or the end. Brackets in between must match, and what they enclose
    /// does not stop it.
    pub(crate) fn skip(&mut self, stops: &[&str]) -> Option<()> {
        let mut open = Vec::new();
        loop {
            match self.token {
                Token::End => return open.is_empty().then_some(()),
                Token::Word(_) if open.is_empty() && stops.iter().any(|word| self.at_word(word)) => {
                    return Some(());
                }
                Token::Symbol(symbol) if open.is_empty() && stops.contains(&symbol) => return Some(()),
                Token::Symbol(";") if open.is_empty() => return Some(()),
                // A bracket that was not opened here closes what is around.
                Token::Symbol(symbol @ (")" | "]" | "}" | ">>")) => match open.pop() {
                    None => return Some(()),
                    Some(closer) if closer == symbol => {}
                    Some(_) => return None,
                },
                Token::Symbol(symbol) => open.extend(closing_bracket(symbol)),
                _ => {}
            }
            if open.len() > DEPTH_MAX {
                return None;
            }
            self.advance()?;
        }
    }
}

/// Returns whether a bare word is no name.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|each| word.eq_ignore_ascii_case(each))
}
