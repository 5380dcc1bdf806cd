package awsmiddleware

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The SDK's own types are looked into without reflection, which would take longer than all else
// that is done for a request in Go.

// copied is a copy of an operation's parameters, and what they ask for in it; nil: it has none that
// ask for the capacity.
func copied(parameters any) (ours any, asks *types.ReturnConsumedCapacity) {
	switch theirs := parameters.(type) {
	case *dynamodb.BatchExecuteStatementInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.BatchGetItemInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.BatchWriteItemInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.DeleteItemInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.ExecuteStatementInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.ExecuteTransactionInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.GetItemInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.PutItemInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.QueryInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.ScanInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.TransactGetItemsInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.TransactWriteItemsInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	case *dynamodb.UpdateItemInput:
		if theirs != nil {
			ours := *theirs
			return &ours, &ours.ReturnConsumedCapacity
		}
	}
	return nil, nil
}

// capacityIn is what an operation's result tells of the capacity: of one table, or of several.
func capacityIn(result any) (one **types.ConsumedCapacity, several *[]types.ConsumedCapacity) {
	switch result := result.(type) {
	case *dynamodb.DeleteItemOutput:
		if result != nil {
			return &result.ConsumedCapacity, nil
		}
	case *dynamodb.ExecuteStatementOutput:
		if result != nil {
			return &result.ConsumedCapacity, nil
		}
	case *dynamodb.GetItemOutput:
		if result != nil {
			return &result.ConsumedCapacity, nil
		}
	case *dynamodb.PutItemOutput:
		if result != nil {
			return &result.ConsumedCapacity, nil
		}
	case *dynamodb.QueryOutput:
		if result != nil {
			return &result.ConsumedCapacity, nil
		}
	case *dynamodb.ScanOutput:
		if result != nil {
			return &result.ConsumedCapacity, nil
		}
	case *dynamodb.UpdateItemOutput:
		if result != nil {
			return &result.ConsumedCapacity, nil
		}
	case *dynamodb.BatchExecuteStatementOutput:
		if result != nil {
			return nil, &result.ConsumedCapacity
		}
	case *dynamodb.BatchGetItemOutput:
		if result != nil {
			return nil, &result.ConsumedCapacity
		}
	case *dynamodb.BatchWriteItemOutput:
		if result != nil {
			return nil, &result.ConsumedCapacity
		}
	case *dynamodb.ExecuteTransactionOutput:
		if result != nil {
			return nil, &result.ConsumedCapacity
		}
	case *dynamodb.TransactGetItemsOutput:
		if result != nil {
			return nil, &result.ConsumedCapacity
		}
	case *dynamodb.TransactWriteItemsOutput:
		if result != nil {
			return nil, &result.ConsumedCapacity
		}
	}
	return nil, nil
}

// tokenOf is the token of a transaction's parameters, if they have one.
func tokenOf(parameters any) *string {
	switch theirs := parameters.(type) {
	case *dynamodb.ExecuteTransactionInput:
		if theirs != nil {
			return theirs.ClientRequestToken
		}
	case *dynamodb.TransactWriteItemsInput:
		if theirs != nil {
			return theirs.ClientRequestToken
		}
	}
	return nil
}
