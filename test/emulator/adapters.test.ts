import { motoAccount, simulatedAccount } from './accounts.ts';
import { describeAdapterContract } from './contract.ts';

describeAdapterContract('moto', motoAccount);
describeAdapterContract('the simulated account', simulatedAccount);
