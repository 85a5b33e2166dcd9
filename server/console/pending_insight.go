package console

func (c *Console) figures(v *visit) error      { return nil }
func (c *Console) figuresCSV(v *visit) error   { return nil }
func (c *Console) decisionsCSV(v *visit) error { return nil }
func (c *Console) auditOf(v *visit) error      { return nil }
