//! Conditions and values of PartiQL, and which attributes they pin.
//!
//! From the loosest to the tightest, one method each: `expression` (OR, AND, NOT), `condition`
//! (`=`, `IN` and other comparisons), `operand` (`+`, `||` and the like), `part` (a value, a path,
//! brackets). Each returns an [`Operand`]: what it read, as far as the method above can make a pin
//! of it.
//!
//! `id = 'a' AND (n = 1 OR n = 2)`: `condition` makes a pin of `id`. The brackets are an expression
//! of their own, with a branch for each `n`, of which [`alternatives`] makes one pin: `n` is 1 or
//! 2.

#[cfg(test)]
mod tests;

use crate::dynamodb::partiql::lexer::{Token, closing_bracket};
use crate::dynamodb::partiql::{DEPTH_MAX, Parser, Pin, Term};
use crate::dynamodb::values::Values;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Words that are values.
const LITERALS: [&str; 4] = ["FALSE", "MISSING", "NULL", "TRUE"];

/// The kind of an expression, as far as a pin may be made of it.
pub(crate) enum Operand<'a> {
    /// A whole attribute, at the top level of an item.
    Attribute(Cow<'a, str>),
    Value(Term<'a>),
    /// Anything else: nothing is pinned by comparing it.
    Other,
}

impl<'a> Parser<'a> {
    /// Reads conditions joined by AND and OR, or a lone one, or a lone operand. AND binds tighter:
    /// OR joins branches, and what all branches pin is pinned.
    ///
    /// The pins from `first` on are those of the branch that is being read.
    pub(crate) fn expression(&mut self) -> Option<Operand<'a>> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let first = self.pins.len();
        let (mut lone, mut branches) = (true, Vec::new());
        let operand = loop {
            let before = self.pins.len();
            let mut negated = false;
            while self.word("NOT")? {
                negated = true;
            }
            let operand = self.condition()?;
            if negated {
                // Nothing is known of a value that a condition excludes.
                self.pins.truncate(before);
                lone = false;
            }
            if self.word("OR")? {
                // The pins of this branch go aside, and the next starts without any.
                branches.push(self.pins.split_off(first));
            } else if !self.word("AND")? {
                break operand;
            }
            lone = false;
        };
        if !branches.is_empty() {
            branches.push(self.pins.split_off(first));
            self.pins.extend(alternatives(branches));
        }
        self.depth -= 1;
        Some(if lone { operand } else { Operand::Other })
    }

    /// Reads a comparison, or a lone operand, which could be a side of one.
    fn condition(&mut self) -> Option<Operand<'a>> {
        let before = self.pins.len();
        let left = self.operand()?;
        let negated = self.word("NOT")?;
        let pin = if self.word("IN")? {
            // A list that is spelled out, or a single value that stands for one, such as a
            // parameter.
            let values = match self.token {
                Token::Symbol("(" | "[" | "<<") => Some(self.list()?),
                _ => matches!(self.operand()?, Operand::Value(_)).then(|| vec![Term::Other]),
            };
            if negated { None } else { pin(left, values) }
        } else if self.word("BETWEEN")? {
            self.operand()?;
            self.expect_word("AND")?;
            self.operand()?;
            None
        } else if self.word("LIKE")? {
            self.operand()?;
            if self.word("ESCAPE")? {
                self.operand()?;
            }
            None
        } else if negated {
            return None;
        } else if self.word("IS")? {
            self.word("NOT")?;
            self.name()?;
            None
        } else if self.symbol("=")? {
            match (left, self.operand()?) {
                (attribute, Operand::Value(value)) => pin(attribute, Some(vec![value])),
                (Operand::Value(value), attribute) => pin(attribute, Some(vec![value])),
                _ => None,
            }
        } else if matches!(self.token, Token::Symbol("<" | "<=" | ">" | ">=" | "<>" | "!=")) {
            self.advance()?;
            self.operand()?;
            None
        } else {
            return Some(left);
        };
        // A side of the comparison may be a condition in brackets, as in `(a = 1) = FALSE`. Its
        // pins go.
        self.pins.truncate(before);
        self.pins.extend(pin);
        Some(Operand::Other)
    }

    /// Reads a sum, a product or the like, or a lone part.
    fn operand(&mut self) -> Option<Operand<'a>> {
        let before = self.pins.len();
        let mut operand = self.part()?;
        while matches!(self.token, Token::Symbol("+" | "-" | "*" | "/" | "%" | "||")) {
            self.advance()?;
            self.part()?;
            self.pins.truncate(before);
            operand = Operand::Other;
        }
        Some(operand)
    }

    /// Reads a value, an attribute, a path, a call, or something in brackets. Signs may be before
    /// it.
    fn part(&mut self) -> Option<Operand<'a>> {
        let (before, start) = (self.pins.len(), self.start);
        let mut signs = 0_usize;
        while matches!(self.token, Token::Symbol("+" | "-")) {
            self.advance()?;
            signs += 1;
        }
        let part = match self.token {
            Token::Number(_) | Token::Text(_) | Token::Parameter(_) | Token::Redacted => {
                Operand::Value(self.term()?)
            }
            Token::Symbol("(") => {
                self.advance()?;
                let inner = self.expression()?;
                self.expect(")")?;
                inner
            }
            Token::Symbol("[" | "<<") => {
                self.list()?;
                Operand::Value(Term::Other)
            }
            Token::Symbol("{") => {
                self.map()?;
                Operand::Value(Term::Other)
            }
            _ => self.path()?,
        };
        if signs == 0 {
            return Some(part);
        }
        self.pins.truncate(before);
        // Only a single minus right before a number is part of it. Other signs make it an
        // expression.
        let signed = &self.lexer.text[start..];
        Some(match (part, signed.strip_prefix('-')) {
            (Operand::Value(Term::Number(number)), Some(rest)) if rest.starts_with(number) => {
                Operand::Value(Term::Number(&signed[..=number.len()]))
            }
            _ => Operand::Other,
        })
    }

    /// Reads a value of one token.
    fn term(&mut self) -> Option<Term<'a>> {
        Some(match self.advance()? {
            Token::Number(number) => Term::Number(number),
            Token::Text(text) => Term::Text(text),
            Token::Parameter(n) => Term::Parameter(n),
            Token::Redacted => Term::Other,
            _ => return None,
        })
    }

    /// Reads a path, such as `a`, `a.b` or `a[0]`, or a literal word, or a call: `size(a)`. Only a
    /// path of one step is a whole attribute.
    fn path(&mut self) -> Option<Operand<'a>> {
        if LITERALS.iter().any(|literal| self.at_word(literal)) {
            self.advance()?;
            return Some(Operand::Value(Term::Other));
        }
        let bare = matches!(self.token, Token::Word(_));
        let name = self.name()?;
        if bare && self.token == Token::Symbol("(") {
            self.list()?;
            return Some(Operand::Other);
        }
        let mut path = Operand::Attribute(name);
        loop {
            if self.symbol(".")? {
                matches!(self.advance()?, Token::Word(_) | Token::Name(_)).then_some(())?;
            } else if self.symbol("[")? {
                self.item()?;
                self.expect("]")?;
            } else {
                return Some(path);
            }
            path = Operand::Other;
        }
    }

    /// Reads a list of values in any brackets.
    fn list(&mut self) -> Option<Vec<Term<'a>>> {
        self.bracketed(Self::item)
    }

    /// Reads a map, `{'id': 'a', 'n': ?}`, as pins: that is what an INSERT gives.
    pub(crate) fn map(&mut self) -> Option<Vec<Pin<'a>>> {
        matches!(self.token, Token::Symbol("{")).then_some(())?;
        self.bracketed(|parser| {
            let (Token::Text(attribute) | Token::Name(attribute)) = parser.advance()? else { return None };
            parser.expect(":")?;
            Some(Pin { attribute, values: Values::Listed(vec![parser.item()?]) })
        })
    }

    /// Reads items between a bracket and its match, with commas between them.
    fn bracketed<T>(&mut self, item: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let Token::Symbol(opener) = self.advance()? else { return None };
        let closer = closing_bracket(opener)?;
        let mut items = Vec::new();
        if self.symbol(closer)? {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if !self.symbol(",")? {
                self.expect(closer)?;
                return Some(items);
            }
        }
    }

    /// Reads a value within another, where conditions have no force.
    fn item(&mut self) -> Option<Term<'a>> {
        let before = self.pins.len();
        let operand = self.expression()?;
        self.pins.truncate(before);
        Some(if let Operand::Value(term) = operand { term } else { Term::Other })
    }
}

/// Returns the pin that a comparison makes, if it compares an attribute with values.
fn pin<'a>(attribute: Operand<'a>, values: Option<Vec<Term<'a>>>) -> Option<Pin<'a>> {
    let Operand::Attribute(attribute) = attribute else { return None };
    Some(Pin { attribute, values: Values::Listed(values?) })
}

/// Returns the pins that hold whichever branch does: one of each attribute that every branch pins.
/// `a = 1 AND b = 2 OR a = 3` pins `a` to 1 or 3, and `b` to nothing.
fn alternatives(branches: Vec<Vec<Pin<'_>>>) -> impl Iterator<Item = Pin<'_>> {
    // Each branch by attribute, as it may pin one more than once.
    let mut branches = branches.into_iter().map(|pins| {
        let mut of_branch = BTreeMap::<_, Vec<_>>::new();
        for Pin { attribute, values } in pins {
            of_branch.entry(attribute).or_default().push(values);
        }
        of_branch
    });
    let first = branches.next().unwrap_or_default();
    let mut all: BTreeMap<_, _> =
        first.into_iter().map(|(attribute, values)| (attribute, vec![values])).collect();
    for mut branch in branches {
        all.retain(|attribute, each| {
            let values = branch.remove(attribute);
            let is_pinned = values.is_some();
            each.extend(values);
            is_pinned
        });
    }
    all.into_iter().map(|(attribute, each)| Pin { attribute, values: Values::Any(each) })
}
