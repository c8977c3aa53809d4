package ledger

import (
	"encoding/gob"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Truth is every row that must be in ClickHouse. Rows of a table are in no order.
type Truth struct {
	Records       int64 // records added
	Places        []Place
	Subs          [][2]string
	Tables        []Table // by cube, in the order of tableNames
	SessionStarts map[uint32]int64
	Outcomes      map[OutcomeKey]int64
	Completeness  map[CompletenessKey]Numbers
	Orders        []OrderRow
	Newest        int64 // newest receive time, ms; 0 in a file of an earlier version
}

// Place is what every row's key begins with.
type Place struct{ Platform, Room, Session string }

// Table is the rows of one cube; Values[i*len(Measures):] are those of Rows[i].
type Table struct {
	Name     string
	Measures []string
	Rows     []Row
	Values   []int64
}

// Row is a row's key. Window is in ms, 0 for the session grain; Place and Sub are indices into the truth's lists.
type Row struct {
	Grain  uint8
	Window int64
	Place  uint32
	Sub    uint32
}

// OutcomeKey is a line of the conservation ledger. Minute is that of receive time, in ms.
type OutcomeKey struct {
	Topic     string
	Partition int32
	Minute    int64
	Outcome   string
	Reason    string
}

// OrderRow is a row of the table orders, by (Platform, OrderID) and its buyer; the buyer is a pseudonym there and not compared.
type OrderRow struct {
	Platform, OrderID      string
	State                  string
	Version                int64
	Room, Session          string
	Currency               string
	PaidMinor, RefundMinor int64
}

func newTruth(a *account, records, newest int64) *Truth {
	t := &Truth{Records: records, Newest: newest, Subs: a.c.subs.list, SessionStarts: a.c.sessions, Outcomes: a.out, Completeness: a.numbers, Orders: a.orders}
	for _, p := range a.c.places.list {
		t.Places = append(t.Places, Place{p.platform, p.room, p.session})
	}
	for q := range numCubes {
		tab := Table{Name: tableNames[q], Rows: make([]Row, 0, len(a.c.rows[q]))}
		for _, m := range cubeMeasures[q] {
			tab.Measures = append(tab.Measures, m.String())
		}
		for k, v := range a.c.rows[q] {
			if allZero(v) {
				continue
			}
			tab.Rows = append(tab.Rows, Row{k.grain, k.window, k.place, k.sub})
			tab.Values = append(tab.Values, v...)
		}
		a.c.rows[q] = nil
		t.Tables = append(t.Tables, tab)
	}
	return t
}

func allZero(v []int64) bool {
	for _, x := range v {
		if x != 0 {
			return false
		}
	}
	return true
}

// magic is the first line of a ledger file: its format and version.
const magic = "livemeter-ledger 1\n"

// Write writes the truth to w.
func (t *Truth) Write(w io.Writer) error {
	if _, err := io.WriteString(w, magic); err != nil {
		return err
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	if err := gob.NewEncoder(z).Encode(t); err != nil {
		return err
	}
	return z.Close()
}

// WriteFile writes the truth to a new file beside the old one and takes its place when it is complete.
func (t *Truth) WriteFile(name string) error {
	tmp := name + ".tmp"
	f, err := os.Create(tmp)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer os.Remove(tmp)
	if err := t.Write(f); err != nil {
		f.Close()
		return fmt.Errorf("ledger: write %s: %w", name, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("ledger: write %s: %w", name, err)
	}
	return os.Rename(tmp, name)
}

// Read reads a truth.
func Read(r io.Reader) (*Truth, error) {
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != magic {
		return nil, fmt.Errorf("ledger: not a ledger file of this version (it must begin with %q)", magic)
	}
	z, err := zstd.NewReader(r)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	t := &Truth{}
	if err := gob.NewDecoder(z).Decode(t); err != nil {
		return nil, fmt.Errorf("ledger: damaged file: %w", err)
	}
	return t, nil
}

// ReadFile reads a ledger file.
func ReadFile(name string) (*Truth, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	defer f.Close()
	t, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}
