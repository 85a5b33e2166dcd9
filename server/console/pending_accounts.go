package console

import "github.com/heyan/heyan/storage/records"

func (c *Console) signedIn(least records.Role, next handler) handler { return next }
func (c *Console) signInPage(v *visit) error                          { return nil }
func (c *Console) signIn(v *visit) error                              { return nil }
func (c *Console) signOut(v *visit) error                             { return nil }
func (c *Console) welcomePage(v *visit) error                         { return nil }
func (c *Console) welcome(v *visit) error                             { return nil }
func (c *Console) oidcBegin(v *visit) error                           { return nil }
func (c *Console) oidcDone(v *visit) error                            { return nil }
func (c *Console) users(v *visit) error                               { return nil }
func (c *Console) addUser(v *visit) error                             { return nil }
func (c *Console) changeUser(v *visit) error                          { return nil }
func (c *Console) inviteUser(v *visit) error                          { return nil }
