package embedded

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// AllowNetwork is the flag that lets an engine listen beyond loopback.
const AllowNetwork = "--allow-network"

// CheckAddr refuses what is no address, and one that other machines may reach: the engines ask nobody for a password. key is where the address was given,
// and allowed is what AllowNetwork says.
func CheckAddr(engine, key, addr string, allowed bool) error {
	host, port, err := net.SplitHostPort(addr)
	if _, number := strconv.ParseUint(port, 10, 16); err != nil || number != nil || strings.ContainsAny(host, " \t\r\n,;/@") {
		return fmt.Errorf("%s %q: want host:port, such as 127.0.0.1:9092", key, addr)
	}
	if allowed || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("%s %s is reachable from other machines, and this %s asks nobody for a password: give an address of 127.0.0.1, or %s as well", key, addr, engine, AllowNetwork)
}

// isLoopback is false for names other than localhost: what they resolve to can change.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Dial is the address with which this machine reaches a listener: one that listens on all addresses has none of its own.
func Dial(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}
