//! Changes: what an update sets and removes.

use crate::dynamodb::partiql::lexer::Token;
use crate::dynamodb::partiql::{Parser, Term, is_reserved};
use std::borrow::Cow;

/// The ends of one of the changes: what the next begins with, and what comes after the last.
const ENDS: [&str; 5] = ["SET", "REMOVE", ",", "WHERE", "RETURNING"];

impl<'a> Parser<'a> {
    /// Goes past what an update sets and removes, and keeps what it sets to a lone value. What is
    /// set to anything else says nothing, whatever it is.
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

    /// Keeps what is next if it sets an attribute to a lone value. It stops where it is something
    /// else.
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
            // A minus is part of it if it is right before it.
            Token::Number(number) if negative => {
                let signed = self.lexer.text[start..].get(..=number.len());
                signed.filter(|signed| signed.ends_with(number)).map(Term::Number)
            }
            Token::Number(number) => Some(Term::Number(number)),
            Token::Text(text) if !negative => Some(Term::Text(text)),
            Token::Parameter(n) if !negative => Some(Term::Parameter(n)),
            _ => None,
        };
        // Else it is a part of a sum, say.
        let is_lone = match self.token {
            Token::Word(_) => ENDS.iter().any(|word| self.at_word(word)),
            Token::Symbol(symbol) => symbol == "," || symbol == ";",
            _ => self.token == Token::End,
        };
        self.sets.extend(value.filter(|_| is_lone).map(|value| (attribute, value)));
        Some(())
    }
}
