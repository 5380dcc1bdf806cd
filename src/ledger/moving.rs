//! Moving: what a record or a look does where the entry that it found has moved, or is to go.
//!
//! An entry moves when its segment is replaced ([`crate::map::replace`]). A thread that finds it
//! frozen helps to finish the replacement, and then finds the copy. So it waits for no other
//! thread.
//!
//! **Proof.** `src/models/{moves,lifetimes}.rs`; `tests/{clears,warnings}.rs`.

use crate::error::Refusal;
use crate::key::Key;
use crate::key::hash::Hash;
use crate::ledger::Ledger;
use crate::ledger::visit::Visit;
use crate::partition::Partition;
use crate::partition::series::AddError;

impl Ledger {
    /// Lets an idle partition with an old alarm go, so that the caller inserts it anew. It must
    /// look as if never seen. Returns `false` if memory is bounded and has no room for a copy of
    /// the segment. Then the partition keeps its alarm, with the hot records since its last
    /// warning.
    #[cold]
    pub(crate) fn let_go(&self, hash: Hash, visit: Visit<'_>) -> Result<bool, AddError> {
        let guard = visit.guard;
        match self.with_context(visit, |context| self.partitions.replace_at(hash.position, context, guard)) {
            Err(Refusal::Memory) => Err(AddError::Memory),
            // A cleared map has no partition any more.
            Err(Refusal::Cleared) => Ok(true),
            Ok(has_gone) => Ok(has_gone),
        }
    }

    /// Does the work after which a partition that refused an add can be found again.
    pub(crate) fn finish_move(&self, refused: AddError, hash: Hash, visit: Visit<'_>) -> Result<(), Refusal> {
        self.with_context(visit, |context| match refused {
            AddError::Moved => self.partitions.help_replace_at(hash.position, context, visit.guard),
            AddError::Memory => Err(Refusal::Memory),
        })
    }

    /// Finds a partition and returns the result of `read`; `None`: there is no such partition. If
    /// `read` returns `None`, the partition has moved: its copy is read.
    pub(crate) fn look<'g, T>(
        &self,
        key: Key<'_>,
        hash: Hash,
        visit: Visit<'g>,
        read: impl Fn(Partition<'g>) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        while let Some(partition) = self.partitions.find(hash, key, visit.guard)? {
            if let Some(seen) = read(partition) {
                return Ok(Some(seen));
            }
            self.finish_move(AddError::Moved, hash, visit)?;
        }
        Ok(None)
    }
}
