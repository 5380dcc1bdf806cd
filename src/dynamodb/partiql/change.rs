//! Changes: the SET and REMOVE clauses of an update, and the attributes that they set to a lone
//! value.

use crate::dynamodb::partiql::lexer::Token;
use crate::dynamodb::partiql::{Parser, Term, is_reserved};
use std::borrow::Cow;

/// The tokens that end one change: those with which the next begins, and those after the last.
const ENDS: [&str; 5] = ["SET", "REMOVE", ",", "WHERE", "RETURNING"];

impl<'a> Parser<'a> {
    /// Reads the changes of an update, and keeps what it sets to a lone value: `SET a = 1 SET b =
    /// ?` and `SET a = 1, b = ?` alike. An attribute that is set to anything else is passed over.
    pub(crate) fn changes(&mut self) -> Option<()> {
        let mut sets = self.at_word("SET");
        if !sets && !self.at_word("REMOVE") {
            return None;
        }
        loop {
            if self.word("SET")? {
                sets = true;
            } else if self.word("REMOVE")? {
                sets = false;
            } else if !self.symbol(",")? {
                return Some(());
            }
            if sets {
                self.assignment()?;
            }
            self.skip(&ENDS)?;
        }
    }

    /// Keeps what is next if it sets an attribute to a lone value. Where it turns out to be
    /// something else it stops, and the caller skips the rest.
    fn assignment(&mut self) -> Option<()> {
        let attribute = match &self.token {
            Token::Name(name) => name.clone(),
            Token::Word(word) if !is_reserved(word) => Cow::<'a, str>::Borrowed(word),
            _ => return Some(()),
        };
        self.advance()?;
        if !self.symbol("=")? {
            return Some(());
        }
        let start = self.start;
        let negative = self.symbol("-")?;
        if !matches!(self.token, Token::Number(_) | Token::Text(_) | Token::Parameter(_)) {
            return Some(());
        }
        let value = match self.advance()? {
            // A minus right before a number is part of it.
            Token::Number(number) if negative => {
                let signed = self.lexer.text[start..].get(..=number.len());
                signed.filter(|signed| signed.ends_with(number)).map(Term::Number)
            }
            Token::Number(number) => Some(Term::Number(number)),
            Token::Text(text) if !negative => Some(Term::Text(text)),
            Token::Parameter(n) if !negative => Some(Term::Parameter(n)),
            _ => None,
        };
        // The value is lone if the change ends here. Otherwise it is part of a sum, say.
        let is_lone = match self.token {
            Token::Word(_) => ENDS.iter().any(|word| self.at_word(word)),
            Token::Symbol(symbol) => symbol == "," || symbol == ";",
            _ => self.token == Token::End,
        };
        self.sets.extend(value.filter(|_| is_lone).map(|value| (attribute, value)));
        Some(())
    }
}
