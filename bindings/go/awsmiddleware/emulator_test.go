package awsmiddleware

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
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
	// ended is closed when the process has.
	ended   chan struct{}
	log     bytes.Buffer
	failure error
}

// endpoint is where an emulator listens.
func endpoint(t testing.TB, name string) string {
	t.Helper()
	e := emulators[name]
	program := os.Getenv(e.variable)
	if program == "" {
		t.Skipf("skipped: %s does not say where %s is", e.variable, name)
	}
	e.once.Do(func() {
		// Somebody else may take the port meanwhile.
		for range 3 {
			if e.failure = e.start(program); e.failure == nil {
				return
			}
			e.stop()
		}
	})
	if e.failure != nil {
		t.Fatalf("%s: %v\n%s", name, e.failure, e.log.String())
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
	arguments := slices.Clone(e.arguments)
	arguments[slices.Index(arguments, "PORT")] = port
	e.process, e.ended, e.endpoint = exec.Command(program, arguments...), make(chan struct{}), "http://"+address
	e.process.Stdout, e.process.Stderr = &e.log, &e.log
	if e.process.Dir, err = os.MkdirTemp("", "emulator"); err != nil {
		return err
	}
	if err := e.process.Start(); err != nil {
		close(e.ended)
		return err
	}
	go func() {
		e.process.Wait()
		close(e.ended)
	}()
	for range 300 {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
		}
		select {
		case <-e.ended:
			return errors.New("it has ended")
		case <-time.After(100 * time.Millisecond):
			if err == nil {
				return nil
			}
		}
	}
	return errors.New("it does not listen")
}

func (e *emulator) stop() {
	if e.process != nil && e.process.Process != nil {
		e.process.Process.Kill()
		<-e.ended
		os.RemoveAll(e.process.Dir)
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, e := range emulators {
		e.stop()
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
