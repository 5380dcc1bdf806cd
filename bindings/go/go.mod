module github.com/libhotpart/libhotpart/bindings/go

go 1.25.0
