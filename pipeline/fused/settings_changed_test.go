package fused

import "testing"

// What was final is corrected by what comes, whatever lateness and gap are told meanwhile, and nothing is provisional again.
func TestFinalStaysFinalWhateverTheSettings(t *testing.T) {
	for name, in := range map[string]string{
		"raised":                  "set lateness=60\nheartbeat at=10 view=a u=u1 watch=1\nwm 130\nflush\nflush\nflush\nflush\nflush\nset lateness=1h\nheartbeat at=15 recv=131 view=a u=u1 watch=1\nwm 132\nflush\nflush\nflush\nflush\nflush\nset lateness=60\nwm 133\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"alternating":             "set lateness=60\nheartbeat at=10 view=a u=u1 watch=1\nwm 130\nflush\nflush\nflush\nflush\nflush\nset lateness=1h\nheartbeat at=15 recv=131 view=a u=u1 watch=1\nset lateness=60\nwm 133\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"raised hour":             "set lateness=60\nheartbeat at=10 view=a u=u1 watch=1\nwm 3670\nflush\nflush\nflush\nflush\nflush\nset lateness=1h\nheartbeat at=15 recv=3671 view=a u=u1 watch=1\nwm 3672\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"raised before a restart": "set lateness=60\nheartbeat at=10 view=a u=u1 watch=1\nwm 130\nflush\nflush\nflush\nflush\nflush\nset lateness=1h\nrestart\nwm 132\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"lowered":                 "set lateness=1h\nheartbeat at=10 view=a u=u1 watch=1\nwm 130\nset lateness=60\nflush\nflush\nflush\nflush\nflush\nheartbeat at=15 recv=131 view=a u=u1 watch=1\nwm 132\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"gap":                     "set gap=1h\nheartbeat at=10 view=a u=u1 watch=1\nset gap=10\nwm 130\nflush\nflush\nflush\nflush\nflush\nheartbeat at=135 recv=135 view=a u=u1 watch=1\nwm 160\nflush\nflush\nflush\nflush\nflush\nset gap=1h\nheartbeat at=161 recv=161 view=a u=u1 watch=1\nwm 20000",
	} {
		for _, behind := range []bool{false, true} {
			t.Run(name, func(t *testing.T) { keepsPromise(t, startPlayer(t, "run"), in, behind, 1000) })
		}
	}
}
