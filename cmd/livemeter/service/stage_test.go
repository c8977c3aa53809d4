package service

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/zap"
)

func TestStageIsNamedOnce(t *testing.T) {
	p := &Process{Log: zap.NewNop()}
	for _, text := range []string{"collector: Kafka client: broken", "Kafka client: broken"} {
		err := p.stage(t.Context(), Stage{"collector", func(context.Context) error { return errors.New(text) }})
		if err == nil || err.Error() != "collector: Kafka client: broken" {
			t.Errorf("%s became %v", text, err)
		}
	}
}
