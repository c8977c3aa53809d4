package fused

import (
	"strings"
	"testing"
)

// Kills the mutants of sweepViewer that forget to mark what one of its parts has freed: the saved viewer would name freed strings.
func TestSweptStateIsSaved(t *testing.T) {
	for name, script := range map[string]string{
		"view":   "enter at=0 view=a u=u1 exp=x:A,y:B;wm 1;SAVE;wm 30m;SAVE;wm 7h;SAVE;KEYS;SAVE",
		"scope":  "enter at=0 view=a u=u1 room=old;wm 1;SAVE;wm 30m;SAVE;wm 7h;SAVE;like at=5d id=z u=u1 room=new view=b;wm 5d+1h;SAVE;wm 5d+8h;SAVE;wm 9d;SAVE;KEYS;SAVE",
		"touch":  "enter at=0 view=a u=u1 room=old click=k;wm 1;SAVE;like at=33d id=z u=u1 room=new view=b;wm 33d+1h;SAVE;wm 33d+8h;SAVE;wm 38d;SAVE;KEYS;SAVE",
		"viewer": "enter at=0 view=a u=u1 room=old;wm 1;SAVE;wm 30m;SAVE;wm 7h;SAVE;wm 9d;SAVE;KEYS;SAVE",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(t, NewRun(0, nil))
			for l := range strings.SplitSeq(script, ";") {
				switch l {
				case "SAVE":
					for range 40 {
						p.flush(true)
					}
					for range 5 {
						p.save()
					}
				case "KEYS":
					p.task.(*Task).sweepKeys()
				default:
					p.line(l)
				}
			}
			n, keys := p.task.Stats().Viewers, p.task.Stats().Keys
			p.restart()
			if s := p.task.Stats(); s.Viewers != n || s.Keys != keys {
				t.Errorf("%d viewers, %d keys restored, want %d, %d", s.Viewers, s.Keys, n, keys)
			}
		})
	}
}

// Kills the mutant of resetView that keeps the cell of the source: a view that was forgotten enters elsewhere.
func TestForgottenViewEntersElsewhere(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	for _, l := range []string{"show source_measures 1h", "enter at=0 view=a u=u1 room=r1 origin=x/1", "wm 7h", "enter at=7h view=a u=u1 room=r2 origin=y/2", "wm 20h"} {
		p.line(l)
	}
	for range 60 {
		p.flush(true)
	}
	if got := p.store.text(); strings.Count(got, "views=1") != 2 || !strings.Contains(got, "r2 y 2") {
		t.Error(got)
	}
}
