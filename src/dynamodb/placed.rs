//! Where an action is placed: on its partitions, among what can't be read, or among what waits.

use crate::argument::Argument;
use crate::dynamodb::action::Action;
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::request::ApiOperation;
use crate::dynamodb::target::{Finder, NoTarget, Target};
use crate::key::check_name;

/// The place of an action.
pub(crate) enum Placed<'a> {
    At(Target<'a>),
    /// It is a part that can't be read, or is none that a table can have.
    Unread,
    /// It is left out: its table's key is missing, or it is on none of the tables looked at.
    LeftOut,
}

impl Finder<'_, '_> {
    /// Places an action. Where a request has no parts, what can't be read is the request.
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
            Err(NoTarget::Malformed) if api.has_parts() || api.is_statement() => Ok(Placed::Unread),
            // Nobody can describe a table of a name that none has; and names that are asked for end
            // in NUL.
            Err(NoTarget::Schema(table)) if is_name && !table.contains('\0') => {
                self.missing.borrow_mut().push(table);
                Ok(Placed::LeftOut)
            }
            Err(NoTarget::Schema(_)) if api.has_parts() => Ok(Placed::Unread),
            Ok(target) if api.has_parts() && !target.is_valid() => Ok(Placed::Unread),
            found => Ok(Placed::At(found?)),
        }
    }

    fn is_left_out(&self, table: &str) -> bool {
        self.left_out.binary_search_by(|one| one.as_str().cmp(table)).is_ok()
    }

    /// Leaves out these tables too.
    pub(crate) fn leave_out(&mut self, mut tables: Vec<String>) {
        self.left_out.append(&mut tables);
        self.left_out.sort_unstable();
        self.left_out.dedup();
    }
}
