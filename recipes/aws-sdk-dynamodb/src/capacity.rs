//! For a detector that counts units: asks DynamoDB what each request took.

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    FinalizerInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation;
use aws_sdk_dynamodb::operation::execute_transaction::ExecuteTransactionInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// An interceptor that sets `ReturnConsumedCapacity` to `INDEXES` where the caller has set it to
/// less. A bare total does not tell how much an index took. The result shows what the caller asked
/// for: of `INDEXES` the total alone, or nothing.
///
/// The caller's own interceptors see the request as it is sent, and the answer as it came.
///
/// It leaves a transaction with the caller's own token as it is. DynamoDB refuses a token that
/// comes again with other parameters, and the other may have been sent by a client without this.
#[derive(Clone, Copy, Debug, Default)]
pub struct AskCapacity;

/// A request that asks by this, and less than that by its caller.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Nothing,
    Total,
}

impl Storable for Asked {
    type Storer = StoreReplace<Self>;
}

/// A request with its caller's token. The SDK gives the others one.
#[derive(Debug)]
struct OwnToken;

impl Storable for OwnToken {
    type Storer = StoreReplace<Self>;
}

fn token<'a>(context: &'a BeforeSerializationInterceptorContextRef<'_>) -> Option<&'a str> {
    let input = context.input();
    let write = input.downcast_ref().map(TransactWriteItemsInput::client_request_token);
    write.or_else(|| input.downcast_ref().map(ExecuteTransactionInput::client_request_token)).flatten()
}

/// Asks for all. Returns what the caller asks for, if that is less.
fn ask(given: &mut Option<ReturnConsumedCapacity>) -> Option<Asked> {
    let asked = match given {
        None | Some(ReturnConsumedCapacity::None) => Asked::Nothing,
        Some(ReturnConsumedCapacity::Total) => Asked::Total,
        Some(_) => return None,
    };
    *given = Some(ReturnConsumedCapacity::Indexes);
    Some(asked)
}

/// The capacity that an answer tells, of one table or of several.
trait Told {
    /// Leaves what TOTAL shows of it.
    fn total(&mut self);
}

impl Told for ConsumedCapacity {
    fn total(&mut self) {
        (self.table, self.local_secondary_indexes, self.global_secondary_indexes) = (None, None, None);
        self.vector_indexes = None;
    }
}

impl Told for Vec<ConsumedCapacity> {
    fn total(&mut self) {
        self.iter_mut().for_each(Told::total);
    }
}

macro_rules! operations_that_tell {
    ($($module:ident: $input:ident, $output:ident;)+) => {
        fn ask_by(context: &mut BeforeSerializationInterceptorContextMut<'_>) -> Option<Asked> {
            $(if let Some(input) = context.input_mut().downcast_mut::<operation::$module::$input>() {
                return ask(&mut input.return_consumed_capacity);
            })+
            None
        }

        fn give_back(asked: Asked, context: &mut FinalizerInterceptorContextMut<'_>) {
            if let Some(Ok(output)) = context.output_or_error_mut() {
                $(if let Some(output) = output.downcast_mut::<operation::$module::$output>() {
                    match asked {
                        Asked::Nothing => output.consumed_capacity = None,
                        Asked::Total => output.consumed_capacity.iter_mut().for_each(Told::total),
                    }
                })+
            }
        }
    };
}

operations_that_tell! {
    batch_execute_statement: BatchExecuteStatementInput, BatchExecuteStatementOutput;
    batch_get_item: BatchGetItemInput, BatchGetItemOutput;
    batch_write_item: BatchWriteItemInput, BatchWriteItemOutput;
    delete_item: DeleteItemInput, DeleteItemOutput;
    execute_statement: ExecuteStatementInput, ExecuteStatementOutput;
    execute_transaction: ExecuteTransactionInput, ExecuteTransactionOutput;
    get_item: GetItemInput, GetItemOutput;
    put_item: PutItemInput, PutItemOutput;
    query: QueryInput, QueryOutput;
    scan: ScanInput, ScanOutput;
    transact_get_items: TransactGetItemsInput, TransactGetItemsOutput;
    transact_write_items: TransactWriteItemsInput, TransactWriteItemsOutput;
    update_item: UpdateItemInput, UpdateItemOutput;
}

impl Intercept for AskCapacity {
    fn name(&self) -> &'static str {
        "hotpart::AskCapacity"
    }

    /// The SDK has given no token yet.
    fn read_before_execution(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if token(context).is_some() {
            cfg.interceptor_state().store_put(OwnToken);
        }
        Ok(())
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if cfg.load::<OwnToken>().is_none()
            && let Some(asked) = ask_by(context)
        {
            cfg.interceptor_state().store_put(asked);
        }
        Ok(())
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(asked) = cfg.load::<Asked>() {
            give_back(*asked, context);
        }
        Ok(())
    }
}
