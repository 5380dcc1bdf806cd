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
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// An interceptor that sets `ReturnConsumedCapacity` where the caller has not. It takes what
/// DynamoDB answers to that out of the result again.
///
/// It leaves a transaction with the caller's own token as it is. DynamoDB refuses a token that
/// comes again with other parameters, and the other may have been sent by a client without this.
#[derive(Clone, Copy, Debug, Default)]
pub struct AskCapacity;

/// A request that the caller did not ask by.
#[derive(Debug)]
struct Asked;

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

/// Asks, if the caller does not.
fn ask(given: &mut Option<ReturnConsumedCapacity>) -> bool {
    let asks = matches!(given, None | Some(ReturnConsumedCapacity::None));
    if asks {
        *given = Some(ReturnConsumedCapacity::Indexes);
    }
    asks
}

macro_rules! operations_that_tell {
    ($($module:ident: $input:ident, $output:ident;)+) => {
        fn ask_by(context: &mut BeforeSerializationInterceptorContextMut<'_>) -> bool {
            $(if let Some(input) = context.input_mut().downcast_mut::<operation::$module::$input>() {
                return ask(&mut input.return_consumed_capacity);
            })+
            false
        }

        fn take_out(context: &mut FinalizerInterceptorContextMut<'_>) {
            if let Some(Ok(output)) = context.output_or_error_mut() {
                $(if let Some(output) = output.downcast_mut::<operation::$module::$output>() {
                    output.consumed_capacity = None;
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
        if cfg.load::<OwnToken>().is_none() && ask_by(context) {
            cfg.interceptor_state().store_put(Asked);
        }
        Ok(())
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if cfg.load::<Asked>().is_some() {
            take_out(context);
        }
        Ok(())
    }
}
