package awsmiddleware

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Emulators of DynamoDB on loopback, each started when it is first asked for.
var emulators = map[string]*emulator{
	"dynalite": {variable: "DYNALITE", arguments: []string{"--port", "PORT", "--createTableMs", "0"}},
	"dynoxide": {variable: "DYNOXIDE", arguments: []string{"serve", "--host", "127.0.0.1", "--port", "PORT"}},
	"moto":     {variable: "MOTO_PYTHON", arguments: []string{"-m", "moto.server", "-H", "127.0.0.1", "-p", "PORT"}},
}

// everyone is all of them; dynalite knows neither transactions nor PartiQL.
var everyone, newer = []string{"dynalite", "dynoxide", "moto"}, []string{"dynoxide", "moto"}

// An emulator is a program that an environment variable names: ci/emulators.sh sets them.
type emulator struct {
	variable  string
	arguments []string

	once     sync.Once
	endpoint string
	process  *exec.Cmd
	failure  error
}

// endpoint is where an emulator listens.
func endpoint(t testing.TB, name string) string {
	t.Helper()
	e := emulators[name]
	program := os.Getenv(e.variable)
	if program == "" {
		t.Skipf("skipped: %s does not say where %s is", e.variable, name)
	}
	e.once.Do(func() { e.failure = e.start(program) })
	if e.failure != nil {
		t.Fatal(name, e.failure)
	}
	return e.endpoint
}

func (e *emulator) start(program string) error {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := probe.Addr().String()
	probe.Close()
	_, port, _ := net.SplitHostPort(address)
	directory, err := os.MkdirTemp("", "emulator")
	if err != nil {
		return err
	}
	for i, argument := range e.arguments {
		if argument == "PORT" {
			e.arguments[i] = port
		}
	}
	e.process = exec.Command(program, e.arguments...)
	e.process.Dir = directory
	if err := e.process.Start(); err != nil {
		return err
	}
	e.endpoint = "http://" + address
	for range 300 {
		if connection, err := net.Dial("tcp", address); err == nil {
			return connection.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("%s does not listen", filepath.Base(program))
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, e := range emulators {
		if e.process != nil && e.process.Process != nil {
			e.process.Process.Kill()
			e.process.Wait()
			os.RemoveAll(e.process.Dir)
		}
	}
	os.Exit(code)
}

// byEach runs a test with each emulator, in both modes.
func byEach(t *testing.T, names []string, test func(t *testing.T, name string, d *counted)) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(t *testing.T, d *counted) { test(t, name, d) })
		})
	}
}
