//! Places: an action is on its partitions, or can't be read, or waits.
//!
//! A request of one item and a request of several differ here. If the only item can't be read or
//! recorded, the request is refused, and its caller learns why. If one of several can't, it becomes
//! a tally and the others are recorded.

use crate::argument::Argument;
use crate::dynamodb::action::Action;
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::request::ApiOperation;
use crate::dynamodb::target::{Finder, NoTarget, Target};
use crate::key::check_name;

/// The place of an action.
pub(crate) enum Placed<'a> {
    /// It is on these partitions.
    At(Target<'a>),
    /// It is a part that can't be read, or whose key no table can have.
    Unread,
    /// It is left out: its table's key is missing, or its table is not the one looked at.
    LeftOut,
}

impl Finder<'_, '_> {
    /// Places an action. A table whose key is missing is noted, and its action left out.
    ///
    /// # Errors
    /// In a request without parts, the reason for which its action can't be placed.
    pub(crate) fn place<'a>(
        &self,
        api: ApiOperation,
        action: &Action<'a>,
    ) -> Result<Placed<'a>, ObserveError> {
        if self.only.is_some_and(|only| action.table != only) || self.is_left_out(&action.table) {
            return Ok(Placed::LeftOut);
        }
        let is_name = check_name(Argument::Table, action.table.as_bytes()).is_ok();
        if api.has_parts() && !is_name {
            return Ok(Placed::Unread);
        }
        match self.target(action) {
            // A statement is tallied even if it is the whole request.
            Err(NoTarget::Malformed) if api.has_parts() || api.is_statement() => Ok(Placed::Unread),
            // A table can be asked for if its name is valid. Names that are asked for end in NUL,
            // so one that contains a NUL can't be.
            Err(NoTarget::Schema(table)) if is_name && !table.contains('\0') => {
                self.missing.borrow_mut().push(table);
                Ok(Placed::LeftOut)
            }
            Err(NoTarget::Schema(_)) if api.has_parts() => Ok(Placed::Unread),
            Ok(target) if api.has_parts() && !target.is_valid() => Ok(Placed::Unread),
            found => Ok(Placed::At(found?)),
        }
    }

    /// Returns whether the parts of a table are left out.
    fn is_left_out(&self, table: &str) -> bool {
        self.left_out.binary_search_by(|one| one.as_str().cmp(table)).is_ok()
    }

    /// Leaves out the parts of these tables too.
    pub(crate) fn leave_out(&mut self, mut tables: Vec<String>) {
        self.left_out.append(&mut tables);
        self.left_out.sort_unstable();
        self.left_out.dedup();
    }
}
